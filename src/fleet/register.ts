import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode, QemuError } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import { longNameOf } from '../config/machine-config.ts';
import { addRegistryEntry, parseRegistry, removeRegistryEntry, renameRegistryEntry } from '../config/registry.ts';
import type { MachineRef } from '../machine/context.ts';
import { inspectMachineConfig } from '../machine/load-config.ts';
import { forgetEnd } from '../machine/run/last-run.ts';
import { exclusively } from '../machine/run/run-lock.ts';
import { ensureOwnUser } from '../machine/start/own-user.ts';
import { forgetBases, forgetImages, hasImageMemory } from '../machine/storage/image-memory.ts';
import { trustPath } from '../system/trust/trusted-path.ts';
import { checkMachine } from './check/check-machine.ts';
import { editRegistry } from './edit-registry.ts';
import { Machines } from './machines.ts';
import { freeMacs, hasMacs, leaseMacsOf } from './macs.ts';
import { dropOwnUser } from './own-user.ts';
import { findConfig } from './resolve.ts';
import { takenName } from './taken-names.ts';

/** What a change of the registry needs of a fleet. */
type Registering = Pick<Machines, 'host' | 'get' | 'inspect' | 'isAlive'>;

/** The result of a change of the registry. */
export interface Registration {
  readonly target: MachineRef;
  /** `unchanged`: the same line was there already. */
  readonly outcome: 'registered' | 'unchanged';
  /** Problems of the machine. */
  readonly issues: Problem[];
}

/**
 * Adds a machine to the registry and leases its addresses. Mistakes in its file do not prevent that and are
 * returned; an address of another machine does. An existing line stays as it is.
 *
 * @param name short name; with no `wanted`, a long name or path that is registered under its own long name.
 * @param wanted long name, path of a cfg or JSON file, or `/folder/long`.
 * @throws {QemuError} `QEMU_MACHINE_UNKNOWN` when the file does not exist, `QEMU_CONFIG_INVALID` when a name is taken,
 * `QEMU_NOT_PERMITTED` when others may change the file.
 */
export async function registerMachine(
  fleet: Registering,
  name: string,
  wanted: string | undefined,
  cwd: string,
): Promise<Registration> {
  const { paths, notify } = fleet.host;
  const place = findPlace(fleet, wanted ?? name, cwd);
  const shortName = wanted === undefined ? place.longName : name;
  const value = place.dir === undefined ? place.longName : join(place.dir, place.longName);
  const configPath = findConfig(paths, place.longName, place.dir);
  trustPath(configPath);
  const hadMacs = hasMacs(paths, place.longName);
  let outcome: Registration['outcome'] = 'registered';
  try {
    await editRegistry(paths, async (text) => {
      const isThere = parseRegistry(text, paths.registryFile).entries.some((entry) => {
        const isSame = entry.shortName === shortName && entry.longName === place.longName;
        return isSame && findConfig(paths, entry.longName, entry.dir) === configPath;
      });
      if (isThere) outcome = 'unchanged';
      const taken = isThere ? undefined : takenName(paths, shortName, place.longName);
      if (taken) throw taken;
      const edited = isThere ? text : addRegistryEntry(text, shortName, value);
      const { config } = inspectMachineConfig(configPath, paths.defaultsFile);
      if (config && process.getuid?.() === 0) await ensureOwnUser(config);
      if (config) await leaseMacsOf(paths, config, notify);
      return edited;
    });
  } catch (error) {
    if (!hadMacs && hasMacs(paths, place.longName)) await freeMacs(paths, place.longName);
    throw error;
  }
  forgetBases(paths, place.longName);
  const renewed = new Machines(paths, notify);
  const target = renewed.get(shortName);
  return { target, outcome, issues: await checkMachine(renewed, target) };
}

/**
 * Removes a machine from the registry and frees its addresses. Its files stay. One that was only started by its path
 * has no more than the addresses.
 *
 * @returns undefined when there is nothing to remove: the machine is not registered and has no addresses.
 * @throws {QemuError} `QEMU_STOP_FAILED` for one that is running.
 */
export async function unregisterMachine(fleet: Registering, id: string): Promise<MachineRef | undefined> {
  const target = findTarget(fleet, id);
  if (target === undefined) return undefined;
  const { paths } = fleet.host;
  const isKnown = hasMacs(paths, target.longName) || hasImageMemory(paths, target.longName);
  if (target.shortName === undefined && !isKnown) return undefined;
  // A start that is under way has not got a process yet.
  await exclusively(fleet.host, target, { purpose: 'unregister' }, async () => {
    if (fleet.isAlive(target)) {
      throw new QemuError('QEMU_STOP_FAILED', `Cannot unregister "${target.longName}" while it runs`, {
        hint: `stop it first: qemu-init stop ${target.longName}`,
      });
    }
    await editRegistry(paths, (text) => removeRegistryEntry(text, target.longName));
    await freeMacs(fleet.host.paths, target.longName);
    forgetEnd(fleet.host.paths, target.longName);
    const kept = await dropOwnUser(fleet.host, target, fleet.inspect(target).draft);
    if (kept !== undefined) fleet.host.notify({ level: 'info', machine: target.longName, message: kept });
    forgetImages(fleet.host.paths, target.longName);
  });
  return target;
}

/**
 * Gives a machine another long name in the registry, once everything else has it.
 *
 * @param prepare gives it to everything else.
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when the name is taken, and what `prepare` throws: then nothing has changed.
 */
export async function renameInRegistry(
  fleet: Registering,
  longName: string,
  newName: string,
  prepare: () => Promise<void>,
): Promise<void> {
  const { paths } = fleet.host;
  const { registryFile } = paths;
  await editRegistry(paths, async (text) => {
    const edited = renameRegistryEntry(text, longName, newName);
    const before = parseRegistry(text, registryFile).issues.length;
    const [clash] = parseRegistry(edited, registryFile).issues.slice(before);
    if (clash)
      throw new QemuError('QEMU_CONFIG_INVALID', `Cannot rename "${longName}": ${clash.message}`, { hint: clash.hint });
    await prepare();
    return edited;
  });
}

function findTarget(fleet: Registering, id: string): MachineRef | undefined {
  try {
    return fleet.get(id);
  } catch (error) {
    if (errorCode(error) === 'QEMU_MACHINE_UNKNOWN') return undefined;
    throw error;
  }
}

interface Place {
  readonly longName: string;
  /** Undefined: one of the usual places. */
  readonly dir: string | undefined;
}

function findPlace(fleet: Registering, wanted: string, cwd: string): Place {
  const { paths } = fleet.host;
  const isPath = wanted.includes('/') || /\.(cfg|json)$/.test(wanted);
  if (!isPath) {
    const path = findConfig(paths, wanted, undefined);
    if (existsSync(path)) return { longName: wanted, dir: undefined };
    throw noFile(path);
  }
  const path = resolve(cwd, wanted);
  const isFile = /(-qemu\.cfg|\.json)$/.test(path);
  if (!isFile && path.endsWith('.cfg') && existsSync(path)) {
    throw new QemuError('QEMU_CONFIG_INVALID', `Cannot register "${path}": the name does not end in "-qemu.cfg"`, {
      hint: `the registry finds machines by that name; rename the file to "${longNameOf(path)}-qemu.cfg"`,
    });
  }
  if (!isFile && path.endsWith('.cfg')) throw noFile(path);
  const longName = isFile ? longNameOf(path) : basename(path);
  const dir = dirname(path);
  const found = isFile ? path : findConfig(paths, longName, dir);
  if (!existsSync(found)) throw noFile(found);
  return { longName, dir: dir === paths.etcDir && found.endsWith('-qemu.cfg') ? undefined : dir };
}

function noFile(path: string): QemuError {
  return new QemuError('QEMU_MACHINE_UNKNOWN', `There is no file "${path}"`, {
    hint: 'a machine is a file NAME-qemu.cfg; create one: qemu-init create NAME',
  });
}
