import { closeSync, existsSync, fstatSync, readFileSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError, type ConfigIssue, errorCode, isNotFound, QemuError } from '../base/errors.ts';
import { messageOf } from '../base/text.ts';
import { type Inspection, parseMachineConfig } from '../config/machine-config.ts';
import { parseMonitorConfig } from '../config/monitor-config.ts';
import { parseRegistry, type Registry } from '../config/registry.ts';
import { parseIni } from '../config/text/ini.ts';
import type { MachineConfig, MonitorConfig, Origin } from '../config/types.ts';
import { openTrusted, trustPath } from '../system/trust/trusted-path.ts';
import { withhold } from './withheld.ts';

/** Largest file that is read, in bytes. */
export const LARGEST_FILE = 1024 ** 2;

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
  return { config: unread ? undefined : config, draft, issues: withhold([...issues, ...further]), cleared };
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
  throw invalid(path, withhold(issues));
}

/** Where the keys of `monitor.conf` stand that are set there. Never throws. */
export function monitorOrigins(path: string): ReadonlyMap<string, Origin> {
  const read = readConfigText(path);
  const entries = 'text' in read ? parseIni(read.text, path).entries : [];
  return new Map(entries.map(({ key, line }) => [key, { file: path, line }]));
}

/**
 * Reads `qemu-init.reg`; a file that does not exist is an empty registry. Never throws.
 *
 * @returns with `refusal` when others may change it, so that no machine of this scope is to be used.
 */
export function loadRegistry(path: string): Registry & { readonly refusal?: ConfigIssue } {
  const read = readConfigText(path);
  if ('text' in read) {
    const { entries, issues } = parseRegistry(read.text, path);
    return { entries, issues: withhold(issues) };
  }
  if (isNotFound(read.cause)) return { entries: [], issues: [] };
  const refusal = read.issue.code === 'QEMU_NOT_PERMITTED' && read.cause === undefined ? { refusal: read.issue } : {};
  return { entries: [], issues: [read.issue], ...refusal };
}

/**
 * Reads a text file that people write: a regular file of at most 1 MiB in UTF-8, to which nobody may write who is not trusted:
 * see {@link openTrusted}. Never throws.
 */
export function readConfigText(path: string): ConfigText {
  const problem = (message: string, detail: Partial<ConfigIssue> & { cause?: unknown } = {}): ConfigText => {
    const { cause, ...more } = detail;
    return { issue: { file: path, message, severity: 'error', ...more }, cause };
  };
  let bytes: Buffer | undefined;
  try {
    bytes = readBytes(path);
  } catch (error) {
    return problem(reasonOf(error), detailOf(error));
  }
  if (bytes === undefined) return problem('There is no such file', { cause: MISSING });
  if (bytes.length > LARGEST_FILE) return problem(TOO_LARGE);
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return problem('The line is no UTF-8 text', { line: firstBadLine(bytes), hint: 'save the file as UTF-8' });
  }
}

const TOO_LARGE = `The file is larger than ${LARGEST_FILE} bytes`;

/** What {@link isNotFound} knows. */
const MISSING = Object.assign(new Error('no such file'), { code: 'ENOENT' });

/** At most one byte more than may be; undefined when there is no file. */
function readBytes(path: string): Buffer | undefined {
  if (path === '') return undefined;
  const refusal = refuse(trustPath(path).stats);
  if (refusal !== undefined) throw new Error(refusal);
  const fd = openTrusted(path);
  if (fd === undefined) return undefined;
  try {
    return fstatSync(fd).size > LARGEST_FILE ? Buffer.alloc(LARGEST_FILE + 1) : readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function invalid(path: string, issues: readonly ConfigIssue[]): ConfigError {
  const errors = issues.filter(({ severity }) => severity === 'error').length;
  const count = errors === 1 ? 'a problem' : `${errors} problems`;
  return new ConfigError(`Cannot use "${path}": it has ${count}`, issues);
}

function refuse(stats: Stats | undefined): string | undefined {
  if (stats === undefined) return undefined;
  if (stats.isDirectory()) return 'This is a folder, not a file';
  if (!stats.isFile()) return 'This is no regular file';
  return stats.size > LARGEST_FILE ? TOO_LARGE : undefined;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof QemuError) || error.cause === undefined) return messageOf(error);
  const { cause } = error;
  return isDenied(cause) ? 'The file may not be read by this user' : `The file cannot be read: ${messageOf(cause)}`;
}

function isDenied(cause: unknown): boolean {
  const code = errorCode(cause);
  return code === 'EACCES' || code === 'EPERM';
}

function detailOf(error: unknown): Partial<ConfigIssue> & { cause?: unknown } {
  if (!(error instanceof QemuError)) return { cause: error };
  const { cause, code, hint } = error;
  if (code !== 'QEMU_NOT_PERMITTED') return { cause };
  return cause === undefined ? { code, hint } : { cause, code };
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
