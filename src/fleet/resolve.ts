import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { QemuError } from '../base/errors.ts';
import { nearest } from '../base/text.ts';
import { longNameOf } from '../config/machine-config.ts';
import type { RegistryEntry } from '../config/registry.ts';
import { isValidName } from '../config/text/names.ts';
import type { MachineRef } from '../machine/context.ts';
import { locate } from '../machine/run/locate.ts';
import { readRecord } from '../machine/run/record.ts';
import { isThere, namesIn } from '../system/files/files.ts';
import { machinePaths, type Paths } from '../system/paths.ts';
import { isSystemdBooted } from '../system/services/systemd.ts';
import { readAsked } from './service/asked.ts';
import { unitName } from './service/units/unit-text.ts';

/** The machine of a registry entry, whether or not its file is there. */
export function targetOfEntry(paths: Paths, entry: RegistryEntry): MachineRef {
  return {
    longName: entry.longName,
    shortName: entry.shortName,
    configPath: findConfig(paths, entry.longName, entry.dir),
    files: machinePaths(paths, entry.longName),
  };
}

/** A machine that is to be registered. */
export function newTarget(paths: Paths, longName: string, shortName: string | undefined): MachineRef {
  const configPath = join(paths.etcDir, `${longName}-qemu.cfg`);
  return { longName, shortName, configPath, files: machinePaths(paths, longName) };
}

/** Path of a machine's file, or where it is expected if there is none. */
export function findConfig(paths: Paths, longName: string, dir: string | undefined): string {
  const usual = join(dir ?? paths.etcDir, `${longName}-qemu.cfg`);
  if (existsSync(usual)) return usual;
  const other =
    dir === undefined ? join(paths.stateDir, longName, `${longName}-qemu.cfg`) : join(dir, `${longName}.json`);
  return existsSync(other) ? other : usual;
}

/**
 * The machine with that id: the path of a cfg file, a short name, a long name, or the long name of a machine that
 * is not registered but has a file in the usual place or is running.
 *
 * @throws {QemuError} `QEMU_MACHINE_UNKNOWN`, `QEMU_CONFIG_INVALID` when the file's name is not a valid name for a
 * machine.
 */
export function resolveId(paths: Paths, entries: readonly RegistryEntry[], id: string, cwd: string): MachineRef {
  if (id.includes('/') || /\.(cfg|json)$/.test(id)) return targetOfPath(paths, entries, resolve(cwd, id));
  const entry = entries.find(({ shortName }) => shortName === id) ?? entries.find(({ longName }) => longName === id);
  if (entry) return notAnotherLongName(paths, id, entry);
  if (isValidName(id)) {
    const running = runningAs(paths, id);
    if (running) return running;
    const configPath = findConfig(paths, id, undefined);
    if (existsSync(configPath)) return unregistered(paths, id, configPath);
    const files = machinePaths(paths, id);
    const record = readRecord(files);
    // What runs can be stopped, even when both its file and its record are lost.
    if (record || locate(files).kind !== 'stopped') return unregistered(paths, id, record?.configPath ?? configPath);
  }
  throw unknownMachine(id, entries, paths);
}

/**
 * The machine of the unit with that long name. What was started by its path is found again.
 *
 * @throws {QemuError} `QEMU_MACHINE_UNKNOWN`
 */
export function resolveOfUnit(paths: Paths, entries: readonly RegistryEntry[], longName: string): MachineRef {
  const entry = entries.find((each) => each.longName === longName);
  if (entry) return targetOfEntry(paths, entry);
  const { configPath } = readAsked(paths, longName);
  return configPath === undefined ? resolveId(paths, [], longName, '/') : unregistered(paths, longName, configPath);
}

/** A machine that runs under a long name, from the file that it was started with. */
export function runningAs(paths: Paths, longName: string): MachineRef | undefined {
  const files = machinePaths(paths, longName);
  // Without these a look through all processes would be needed, which only what is known to run is worth.
  if (readRecord(files) === undefined && !isThere(files.pidFile)) return undefined;
  const located = locate(files);
  const configPath = located.kind === 'alive' ? located.record?.configPath : undefined;
  return configPath === undefined ? undefined : unregistered(paths, longName, configPath);
}

/** Refuses an id that is the short name of one machine and the long name of another, running one. */
function notAnotherLongName(paths: Paths, id: string, entry: RegistryEntry): MachineRef {
  const target = targetOfEntry(paths, entry);
  if (entry.longName === id || runningAs(paths, id) === undefined) return target;
  throw new QemuError(
    'QEMU_CONFIG_INVALID',
    `"${id}" is the short name of "${entry.longName}" and the name of a running machine`,
    {
      hint: `for the one in the registry: "${entry.longName}"; to stop the running one: ${stopByUnit(paths, id)}`,
    },
  );
}

function stopByUnit(paths: Paths, longName: string): string {
  return paths.scope === 'system' && isSystemdBooted()
    ? `systemctl stop ${unitName(longName)}`
    : 'correct the registry first';
}

/**
 * Machines that left something in the run-time folder, registered or not. If that was cleared, running machines are
 * found by the copies of their records.
 */
export function namesInRunDir(paths: Paths): string[] {
  return [...new Set([...namesIn(paths.runDir), ...namesIn(paths.keptRunsDir)])].filter(isValidName);
}

function targetOfPath(paths: Paths, entries: readonly RegistryEntry[], configPath: string): MachineRef {
  const longName = longNameOf(configPath);
  if (!isValidName(longName)) {
    throw new QemuError('QEMU_CONFIG_INVALID', `"${longName}" of "${configPath}" is not a valid name for a machine`, {
      hint: 'a name has up to 40 letters, digits, dots, dashes and underscores, and begins with a letter or digit',
    });
  }
  if (!existsSync(configPath)) {
    const usual = findConfig(paths, longName, undefined);
    const hint = existsSync(usual) ? `did you mean "${longName}", the machine of "${usual}"?` : undefined;
    throw new QemuError('QEMU_MACHINE_UNKNOWN', `There is no file "${configPath}"`, { hint });
  }
  const entry = entries.find((candidate) => candidate.longName.toLowerCase() === longName.toLowerCase());
  if (!entry) return notAnother(unregistered(paths, longName, configPath));
  const registered = targetOfEntry(paths, entry);
  if (registered.configPath === configPath) return registered;
  throw new QemuError('QEMU_CONFIG_INVALID', `"${configPath}" has the name of a registered machine`, {
    hint: `"${registered.configPath}" is registered as "${entry.longName}"; give one of them another name`,
  });
}

/** Refuses a second file of the same name: machines are looked up by name, so both would be one. */
function notAnother(target: MachineRef): MachineRef {
  const located = locate(target.files);
  const runsFrom = located.kind === 'alive' ? located.record?.configPath : undefined;
  if (runsFrom === undefined || !existsSync(runsFrom) || isSameFile(runsFrom, target.configPath)) return target;
  throw new QemuError('QEMU_CONFIG_INVALID', `"${target.configPath}" has the name of a running machine`, {
    hint: `"${runsFrom}" runs as "${target.longName}"; give one of them another name`,
  });
}

function isSameFile(a: string, b: string): boolean {
  return a === b || realpathSync(a) === realpathSync(b);
}

function unregistered(paths: Paths, longName: string, configPath: string): MachineRef {
  return { longName, shortName: undefined, configPath, files: machinePaths(paths, longName) };
}

function unknownMachine(id: string, entries: readonly RegistryEntry[], paths: Paths): QemuError {
  const near = nearest(
    id,
    entries.flatMap(({ shortName, longName }) => [shortName, longName]),
  );
  return new QemuError('QEMU_MACHINE_UNKNOWN', `There is no machine "${id}"`, {
    hint: hintFor(id, entries) ?? nearHint(near, paths),
  });
}

/** A hint for common words that are not names. */
function hintFor(id: string, entries: readonly RegistryEntry[]): string | undefined {
  const isName = (word: string): boolean =>
    entries.some(({ shortName, longName }) => shortName === word || longName === word);
  if (id.toLowerCase() === 'all') return 'for all machines: --all';
  const names = id.split(',');
  if (names.length > 1 && names.every(isName)) return `names are separated by blanks: ${names.join(' ')}`;
  const bare = id.replace(/-qemu(\.cfg)?$/, '');
  return bare !== id && isName(bare) ? `did you mean "${bare}"? see: qemu-init list` : undefined;
}

function nearHint(near: string | undefined, paths: Paths): string {
  return near === undefined
    ? `registered machines are in "${paths.registryFile}"; see: qemu-init list`
    : `did you mean "${near}"? see: qemu-init list`;
}

/** Folder of a cfg file, for relative paths and for the commands that a machine runs. */
export function folderOf(configPath: string): string {
  return dirname(configPath);
}
