import { existsSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError, type ConfigIssue, errorCode, isNotFound } from '../errors.ts';
import { parseIni } from './ini.ts';
import { type Inspection, parseMachineConfig } from './machine-config.ts';
import { parseMonitorConfig } from './monitor-config.ts';
import { parseRegistry, type Registry } from './registry.ts';
import type { MachineConfig, MonitorConfig, Origin } from './types.ts';

/** Largest file that is read, in bytes. */
const LARGEST_FILE = 1024 ** 2;

interface Unreadable {
  /** Has the code `QEMU_NOT_PERMITTED` when this user may not read the file. */
  readonly issue: ConfigIssue;
  readonly cause?: unknown;
}

/** The text of a file, or why it cannot be read. */
export type ConfigText = { readonly text: string } | Unreadable;

/**
 * Reads the file of a machine, cfg or JSON, over the host's defaults.
 *
 * @param defaultsPath `defaults-qemu.cfg`; it need not exist.
 * @throws {ConfigError} `QEMU_CONFIG_INVALID` with all problems at once, `QEMU_NOT_PERMITTED` when a file may not be read.
 */
export function loadMachineConfig(path: string, defaultsPath: string): MachineConfig {
  const { config, issues } = inspectMachineConfig(path, defaultsPath);
  if (config) return config;
  throw invalid(path, issues);
}

/** Reads the file of a machine and says all that is wrong with it. Never throws. */
export function inspectMachineConfig(path: string, defaultsPath: string): Inspection {
  const read = readConfigText(path);
  const defaults = readConfigText(defaultsPath);
  const unread = 'issue' in defaults && !isNotFound(defaults.cause) ? defaults : undefined;
  const further = unread ? [unread.issue] : [];
  if ('issue' in read) return { issues: [read.issue, ...further] };
  const { config, draft, issues, cleared } = parseMachineConfig(read.text, {
    path,
    exists: existsSync,
    defaults: 'text' in defaults ? { path: defaultsPath, text: defaults.text } : undefined,
    etcDir: defaultsPath === '' ? undefined : dirname(defaultsPath),
  });
  return { config: unread ? undefined : config, draft, issues: [...issues, ...further], cleared };
}

/**
 * Reads `monitor.conf`; a file that does not exist means the defaults.
 *
 * @throws {ConfigError} `QEMU_CONFIG_INVALID` with all problems at once, `QEMU_NOT_PERMITTED` when it may not be read.
 */
export function loadMonitorConfig(path: string): MonitorConfig {
  const read = readConfigText(path);
  if ('issue' in read && !isNotFound(read.cause)) throw invalid(path, [read.issue]);
  const { config, issues } = parseMonitorConfig('text' in read ? read.text : '', path);
  if (config) return config;
  throw invalid(path, issues);
}

/** Where the keys of `monitor.conf` stand that are set there. Never throws. */
export function monitorOrigins(path: string): ReadonlyMap<string, Origin> {
  const read = readConfigText(path);
  const entries = 'text' in read ? parseIni(read.text, path).entries : [];
  return new Map(entries.map(({ key, line }) => [key, { file: path, line }]));
}

/** Reads `qemu-init.reg`; a file that does not exist is an empty registry. Never throws. */
export function loadRegistry(path: string): Registry {
  const read = readConfigText(path);
  if ('text' in read) return parseRegistry(read.text, path);
  return { entries: [], issues: isNotFound(read.cause) ? [] : [read.issue] };
}

/** Reads a text file that people write: a regular file of at most 1 MiB in UTF-8. Never throws. */
export function readConfigText(path: string): ConfigText {
  const problem = (message: string, detail: Partial<ConfigIssue> & { cause?: unknown } = {}): ConfigText => {
    const { cause, ...more } = detail;
    return { issue: { file: path, message, severity: 'error', ...more }, cause };
  };
  let bytes: Buffer;
  try {
    // Opening a FIFO would wait for a writer, and a device may never end.
    const refusal = refuse(statSync(path));
    if (refusal !== undefined) return problem(refusal);
    bytes = readFileSync(path);
  } catch (error) {
    return problem(reasonOf(error), { cause: error, code: isDenied(error) ? 'QEMU_NOT_PERMITTED' : undefined });
  }
  if (bytes.length > LARGEST_FILE) return problem(TOO_LARGE);
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return problem('The line is no UTF-8 text', { line: firstBadLine(bytes), hint: 'save the file as UTF-8' });
  }
}

const TOO_LARGE = `The file is larger than ${LARGEST_FILE} bytes`;

function isDenied(cause: unknown): boolean {
  const code = errorCode(cause);
  return code === 'EACCES' || code === 'EPERM';
}

function invalid(path: string, issues: readonly ConfigIssue[]): ConfigError {
  const errors = issues.filter(({ severity }) => severity === 'error').length;
  const count = errors === 1 ? 'a problem' : `${errors} problems`;
  return new ConfigError(`Cannot use "${path}": it has ${count}`, issues);
}

function refuse(stats: Stats): string | undefined {
  if (stats.isDirectory()) return 'This is a folder, not a file';
  if (!stats.isFile()) return 'This is no regular file';
  return stats.size > LARGEST_FILE ? TOO_LARGE : undefined;
}

function reasonOf(error: unknown): string {
  if (isNotFound(error)) return 'There is no such file';
  if (isDenied(error)) return 'The file may not be read by this user';
  return `The file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}

/** Line of the first byte that is no UTF-8. */
function firstBadLine(bytes: Buffer): number {
  let line = 1;
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    if (newline < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
    line += 1;
  }
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
