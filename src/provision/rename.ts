import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  openSync,
  renameSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from '../base/config-error.ts';
import { isNotFound, QemuError } from '../base/errors.ts';
import { setKey } from '../config/text/edit-text.ts';
import type { MachineConfig } from '../config/types.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import { moveMacs } from '../fleet/macs.ts';
import { dropOwnUser } from '../fleet/own-user.ts';
import { renameInRegistry } from '../fleet/register.ts';
import { removeStartFailure } from '../fleet/service/start-failure.ts';
import { readConfigText } from '../machine/config-text.ts';
import type { MachineRef } from '../machine/context.ts';
import { inspectMachineConfig } from '../machine/load-config.ts';
import { cleanUpCrashed } from '../machine/run/clean-up.ts';
import { forgetEnd } from '../machine/run/last-run.ts';
import { exclusively } from '../machine/run/run-lock.ts';
import { ensureOwnUser, existingOwnUser } from '../machine/start/own-user.ts';
import { isSaved } from '../machine/state/saved-folder.ts';
import { moveImageMemory } from '../machine/storage/image-memory.ts';
import { giveTpmFolder } from '../machine/tpm/tpm-folder.ts';
import { refuseDuringWork } from '../machine/work/do-work.ts';
import { fileError } from '../system/files/file-error.ts';
import { isThere, namesIn, removeIfExists } from '../system/files/files.ts';
import { writeFileAtomic } from '../system/files/write-file.ts';
import { withImage } from '../system/images/image.ts';
import { machinePaths } from '../system/paths.ts';
import { trustPath } from '../system/trust/trusted-path.ts';
import type { User } from '../system/users.ts';
import { refuseName } from './create.ts';

/** What a rename did. */
export interface RenameResult {
  readonly target: MachineRef;
  /** Long names of machines whose REQUIRES was changed with it. */
  readonly changed: readonly string[];
}

/**
 * Gives a machine that does not run another long name: its file, registry line, addresses, firmware variables and other
 * state, logs, and its user (RUNAS=auto) follow, also REQUIRES of other machines. What the guest sees stays the same, but
 * for its name: a UUID that came from the name is written out. Disks keep their names. A rename that was interrupted
 * can be repeated.
 *
 * @throws {ConfigError} when its file has mistakes, or the name is taken.
 * @throws {QemuError} `QEMU_USAGE`, `QEMU_STOP_FAILED` while it runs or has a saved state, `QEMU_LOCKED`, `QEMU_IO`,
 * `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function renameMachine(
  fleet: MachineManager,
  target: MachineRef,
  name: string,
  signal?: AbortSignal,
): Promise<RenameResult> {
  refuseName(name);
  const { longName, configPath } = target;
  if (configPath.endsWith('.json')) {
    throw new QemuError('QEMU_USAGE', `Cannot rename "${longName}": its file is JSON`, {
      hint: 'convert it to a cfg file: qemu-init import',
    });
  }
  if (name === longName) throw new QemuError('QEMU_USAGE', `Machine "${longName}" has that name already`);
  const config = fleet.config(target);
  await refuseDuringWork(fleet.host, target, signal);
  return exclusively(fleet.host, target, { purpose: 'rename', signal }, async () => {
    refuseInUse(fleet, target);
    await cleanUpCrashed(fleet.host, target);
    return rename(fleet, target, config, name);
  });
}

async function rename(
  fleet: MachineManager,
  target: MachineRef,
  config: MachineConfig,
  name: string,
): Promise<RenameResult> {
  const { paths, notify } = fleet.host;
  const { longName, configPath, files } = target;
  const next = machinePaths(paths, name);
  const isInState = dirname(configPath) === files.stateDir;
  const newPath = join(dirname(configPath), `${name}-qemu.cfg`);
  const text = newText(configPath, config, longName, name);
  refuseTakenName(fleet, name, { newPath, text, stateDir: next.stateDir, oldStateDir: files.stateDir });
  // Everything is there under the new name before the registry says it.
  await renameInRegistry(fleet, longName, name, async () => {
    copyLike(configPath, newPath, text);
    await moveMacs(paths, longName, name);
    move(files.stateDir, next.stateDir);
    for (const suffix of ['', '.1']) {
      move(`${files.log}${suffix}`, `${next.log}${suffix}`);
      move(`${files.consoleLog}${suffix}`, `${next.consoleLog}${suffix}`);
    }
    moveImageMemory(paths, longName, name);
  });
  removeIfExists(isInState ? join(next.stateDir, `${longName}-qemu.cfg`) : configPath);
  forgetEnd(paths, longName);
  removeStartFailure(paths, longName);
  const renewedPath = isInState ? join(next.stateDir, `${name}-qemu.cfg`) : newPath;
  const renewed: MachineRef = {
    ...target,
    longName: name,
    configPath: renewedPath,
    files: next,
    shortName: shortNameOf(target, name),
  };
  await changeUser(fleet, target, config, renewed);
  const changed = changeRequires(fleet, longName, name);
  if (changed.length > 0)
    notify({ level: 'info', machine: name, message: `REQUIRES follows in: ${changed.join(', ')}` });
  if (config.backup !== undefined) {
    const message = `its backups in "${config.backup.dest}" stay those of "${longName}", also with keep=; the next one is full`;
    notify({ level: 'info', machine: name, message });
  }
  return { target: renewed, changed };
}

function shortNameOf({ shortName, longName }: MachineRef, name: string): string | undefined {
  return shortName === longName ? name : shortName;
}

/** What came from the name is written out, so that the guest sees the same hardware. */
function newText(path: string, config: MachineConfig, longName: string, name: string): string {
  const read = readConfigText(path);
  if (!('text' in read)) throw new ConfigError(`Cannot rename "${longName}"`, [read.issue], { cause: read.cause });
  const isOwn = (key: string): boolean => config.origins.get(key)?.file === config.path;
  const pinned = isOwn('UUID') ? read.text : setKey(read.text, 'UUID', config.uuid);
  return isOwn('NAME') && config.name === longName ? setKey(pinned, 'NAME', name) : pinned;
}

interface NewPlaces {
  readonly newPath: string;
  readonly text: string;
  readonly stateDir: string;
  readonly oldStateDir: string;
}

/** What a rename that was interrupted has made is not in the way of its repetition. */
function refuseTakenName(
  fleet: MachineManager,
  name: string,
  { newPath, text, stateDir, oldStateDir }: NewPlaces,
): void {
  trustPath(dirname(newPath));
  const read = isThere(newPath) ? readConfigText(newPath) : undefined;
  const isOurs = read !== undefined && 'text' in read && read.text === text;
  const taken = [
    ...(read && !isOurs ? [newPath] : []),
    ...(isThere(stateDir) && isThere(oldStateDir) ? [stateDir] : []),
  ];
  if (taken[0] !== undefined) throw new QemuError('QEMU_IO', `"${taken[0]}" exists already`);
  const clash = fleet.listWithRunning().find((each) => each.longName.toLowerCase() === name.toLowerCase());
  if (clash) throw new QemuError('QEMU_CONFIG_INVALID', `"${name}" is the name of another machine`);
}

function refuseInUse(fleet: MachineManager, target: MachineRef): void {
  const { longName, files } = target;
  if (fleet.isAlive(target)) {
    throw new QemuError('QEMU_STOP_FAILED', `Cannot rename "${longName}" while it runs`, {
      hint: `stop it first: qemu-init stop ${longName}`,
    });
  }
  if (!isSaved(files)) return;
  throw new QemuError('QEMU_STOP_FAILED', `Cannot rename "${longName}": its saved state has that name`, {
    hint: 'start it and shut it down first',
  });
}

/** With the owner and the mode of the old file. */
function copyLike(from: string, to: string, text: string): void {
  writeFileAtomic(to, text, 0o644, { durable: true });
  const { uid, gid, mode } = statSync(from);
  const file = openSync(to, 'r');
  try {
    const stats = fstatSync(file);
    if (stats.uid !== uid || stats.gid !== gid) fchownSync(file, uid, gid);
    fchmodSync(file, mode & 0o777);
  } finally {
    closeSync(file);
  }
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isNotFound(error)) throw fileError('rename', from, error);
  }
}

/** The name of a machine's own user is made from its long name. */
async function changeUser(
  fleet: MachineManager,
  old: MachineRef,
  before: MachineConfig,
  target: MachineRef,
): Promise<void> {
  if (!before.ownUser || process.getuid?.() !== 0) return;
  const from = await existingOwnUser(before);
  const { config } = inspectMachineConfig(target.configPath, fleet.host.paths.defaultsFile);
  const to = config && (await ensureOwnUser(config));
  if (from === undefined || to === undefined || config === undefined) return;
  for (const { file } of config.disks) giveAway(file, from, to);
  if (config.firmwareVariables !== undefined) giveAway(config.firmwareVariables, from, to);
  giveTpmFolder(target.files, to);
  for (const name of namesIn(target.files.stateDir)) {
    const path = join(target.files.stateDir, name);
    if (lstatSync(path).uid === from.uid) lchownSync(path, to.uid, to.gid);
  }
  for (const log of [target.files.consoleLog, `${target.files.consoleLog}.1`]) {
    if (lstatSync(log, { throwIfNoEntry: false })?.uid === from.uid) lchownSync(log, to.uid, to.gid);
  }
  const kept = await dropOwnUser(fleet.host, old, config);
  if (kept !== undefined) fleet.host.notify({ level: 'info', machine: target.longName, message: kept });
}

/** Only a file that is the old user's, under one name, in a folder where only root can have put it. */
function giveAway(file: string, from: User, to: User): void {
  try {
    trustPath(dirname(file));
    if (lstatSync(file).isSymbolicLink()) return;
    withImage(file, (_image, stats, descriptor) => {
      if (stats.isFile() && stats.uid === from.uid && stats.nlink === 1) fchownSync(descriptor, to.uid, to.gid);
    });
  } catch (error) {
    // The start says what is wrong with it.
    if (!(error instanceof QemuError) && !isNotFound(error)) throw error;
  }
}

function changeRequires(fleet: MachineManager, longName: string, name: string): string[] {
  return fleet.list().flatMap((target) => {
    const { config } = fleet.inspect(target);
    if (config === undefined || !config.requires.includes(longName)) return [];
    const read = readConfigText(target.configPath);
    if (!('text' in read) || config.origins.get('REQUIRES')?.file !== target.configPath) return [];
    const requires = config.requires.map((id) => (id === longName ? name : id)).join(',');
    writeFileAtomic(target.configPath, setKey(read.text, 'REQUIRES', requires), undefined, { durable: true });
    return [target.longName];
  });
}
