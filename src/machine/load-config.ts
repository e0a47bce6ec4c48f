import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '../base/config-error.ts';
import { isNotFound } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import { type Inspection, parseMachineConfig } from '../config/machine-config.ts';
import type { MonitorConfig } from '../config/monitor-config.ts';
import { parseMonitorConfig } from '../config/monitor-config.ts';
import { parseRegistry, type Registry } from '../config/registry.ts';
import { parseIni } from '../config/text/ini.ts';
import type { MachineConfig, Origin } from '../config/types.ts';
import { type ConfigText, readConfigText, remember } from './config-text.ts';
import { withhold } from './withheld.ts';

/**
 * Reads the file of a machine, cfg or JSON, over the host's defaults.
 *
 * @param defaultsPath `defaults-qemu.cfg`; it need not exist.
 * @throws {ConfigError} `QEMU_CONFIG_INVALID` with all problems at once, `QEMU_NOT_PERMITTED` when a file may not be
 * read.
 */
export function loadMachineConfig(path: string, defaultsPath: string): MachineConfig {
  const { config, issues } = inspectMachineConfig(path, defaultsPath);
  if (config) return config;
  throw invalid(path, issues);
}

/** Reads the file of a machine and reports all problems in it. Never throws. */
export function inspectMachineConfig(path: string, defaultsPath: string): Inspection {
  const read = readConfigText(path);
  const defaults = readConfigText(defaultsPath);
  const key = `${path}\0${defaultsPath}`;
  const known = inspections.get(key);
  if (known?.read === read && isSame(known.defaults, defaults) && isStillTrue(known.answers)) return known.inspection;
  const answers = new Map<string, boolean>();
  const exists = (file: string): boolean => {
    const answer = existsSync(file);
    answers.set(file, answer);
    return answer;
  };
  const inspection = inspect({ path, read }, { path: defaultsPath, read: defaults }, exists);
  remember(inspections, key, { read, defaults, answers, inspection });
  return inspection;
}

/** What the file of a machine would be with another text. Never throws. */
export function inspectText(path: string, text: string, defaultsPath: string): Inspection {
  return inspect({ path, read: { text } }, { path: defaultsPath, read: readConfigText(defaultsPath) }, existsSync);
}

/** Results of parsing, valid while the files and all other inputs of the parser stay the same. */
const inspections = new Map<
  string,
  {
    readonly read: ConfigText;
    readonly defaults: ConfigText;
    readonly answers: ReadonlyMap<string, boolean>;
    readonly inspection: Inspection;
  }
>();

/** Two results for a missing file are the same, though each read makes a new object. */
function isSame(known: ConfigText, now: ConfigText): boolean {
  return known === now || ('issue' in known && isNotFound(known.cause) && 'issue' in now && isNotFound(now.cause));
}

function isStillTrue(answers: ReadonlyMap<string, boolean>): boolean {
  return [...answers].every(([file, answer]) => existsSync(file) === answer);
}

interface ReadFile {
  readonly path: string;
  readonly read: ConfigText;
}

function inspect(machine: ReadFile, defaults: ReadFile, exists: (path: string) => boolean): Inspection {
  const unread = 'issue' in defaults.read && !isNotFound(defaults.read.cause) ? defaults.read : undefined;
  const further = unread ? [unread.issue] : [];
  if ('issue' in machine.read) return { issues: [machine.read.issue, ...further] };
  const { config, draft, issues, cleared } = parseMachineConfig(machine.read.text, {
    path: machine.path,
    exists,
    defaults: 'text' in defaults.read ? { path: defaults.path, text: defaults.read.text } : undefined,
    etcDir: defaults.path === '' ? undefined : dirname(defaults.path),
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

/** The lines of the keys that are set in `monitor.conf`. Never throws. */
export function monitorOrigins(path: string): ReadonlyMap<string, Origin> {
  const read = readConfigText(path);
  const entries = 'text' in read ? parseIni(read.text, path).entries : [];
  return new Map(entries.map(({ key, line }) => [key, { file: path, line }]));
}

/**
 * Reads `qemu-init.reg`; a file that does not exist is an empty registry. Never throws.
 *
 * @returns with `refusal` when other users can change it, so that no machine of this scope may be used.
 */
export function loadRegistry(path: string): Registry & { readonly refusal?: Problem } {
  const read = readConfigText(path);
  if ('text' in read) {
    const { entries, issues } = parseRegistry(read.text, path);
    return { entries, issues: withhold(issues) };
  }
  if (isNotFound(read.cause)) return { entries: [], issues: [] };
  const refusal = read.issue.code === 'QEMU_NOT_PERMITTED' && read.cause === undefined ? { refusal: read.issue } : {};
  return { entries: [], issues: [read.issue], ...refusal };
}

function invalid(path: string, issues: readonly Problem[]): ConfigError {
  const errors = issues.filter(({ severity }) => severity === 'error').length;
  const count = errors === 1 ? 'a problem' : `${errors} problems`;
  return new ConfigError(`Cannot use "${path}": it has ${count}`, issues);
}
