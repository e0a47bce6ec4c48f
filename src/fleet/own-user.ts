import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { QemuError } from '../base/errors.ts';
import { ownUserName } from '../config/own-user.ts';
import type { MachineConfig } from '../config/types.ts';
import { writtenPaths } from '../machine/check/used-paths.ts';
import type { MachineContext, MachineRef } from '../machine/context.ts';
import { ownUserComment } from '../machine/start/own-user.ts';
import { namesIn } from '../system/files/files.ts';
import { findProcesses } from '../system/process/process.ts';
import { localUser, removeUser } from '../system/users.ts';

/** So many files of a folder are looked at; a user with more of them is kept. */
const MOST_FILES = 10_000;

/**
 * Removes the user that a machine with RUNAS=auto has, when nothing on the host belongs to that user any more: its
 * number may be given to another user, who would then own all files left.
 *
 * @param config what could be read of the machine's file; its disks are looked at.
 * @returns why the user is kept.
 */
export async function dropOwnUser(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig | undefined,
): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { longName } = target;
  const user = localUser(ownUserName(longName, host.paths.etcDir));
  if (user?.comment !== ownUserComment(longName)) return undefined;
  const left = remainsOf(user.uid, foldersOf(host, target, config));
  if (left !== undefined) return `user "${user.name}" is kept, since it owns ${left}`;
  try {
    await removeUser(user.name);
    return undefined;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return error.message;
  }
}

/**
 * Where every user may leave files. A captured QEMU that was not started by a unit can: a setuid program there would give whoever runs
 * it the rights of the next user with that number.
 */
const OPEN_TO_ALL = ['/tmp', '/var/tmp', '/dev/shm', '/run/lock', '/var/crash'];

/** Where files of the machine's user can be. */
function foldersOf(
  { paths }: MachineContext,
  { files, configPath }: MachineRef,
  config: MachineConfig | undefined,
): string[] {
  const images = (config === undefined ? [] : writtenPaths({ config })).map((path) => dirname(path));
  return [
    ...new Set([
      dirname(configPath),
      ...images,
      files.dir,
      files.qemuDir,
      files.stateDir,
      files.tpmDir,
      paths.logDir,
      ...OPEN_TO_ALL,
    ]),
  ];
}

/** Something that belongs to a user. */
function remainsOf(uid: number, folders: readonly string[]): string | undefined {
  const [process] = findProcesses((argv) => argv.length > 0).filter((found) => found.uid === uid);
  if (process !== undefined) return `process ${process.pid}`;
  for (const folder of folders) {
    const names = namesIn(folder);
    if (names.length > MOST_FILES) return `perhaps a file in "${folder}"`;
    const found = names.map((name) => join(folder, name)).find((path) => ownerOf(path) === uid);
    if (found !== undefined) return `"${found}"`;
  }
  return undefined;
}

function ownerOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.uid;
}
