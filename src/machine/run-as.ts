import { chmodSync, chownSync, closeSync, fchmodSync, fchownSync, lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineConfig } from '../config/types.ts';
import { QemuError } from '../errors.ts';
import { openLog } from '../system/log-file.ts';
import type { MachinePaths } from '../system/paths.ts';
import { findUser, type User } from '../system/users.ts';

/**
 * The user that QEMU is to run as; undefined when that is the caller.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` for a user that does not exist, or is root, `QEMU_NOT_PERMITTED` when only root could.
 */
export async function resolveRunAs(config: Pick<MachineConfig, 'runAs' | 'longName'>): Promise<User | undefined> {
  if (config.runAs === undefined) return undefined;
  const user = await findUser(config.runAs);
  if (user.uid === 0) throw rootRefused(config.runAs);
  const uid = process.getuid?.();
  if (user.uid === uid) return undefined;
  if (uid === 0) return user;
  throw new QemuError('QEMU_NOT_PERMITTED', `Cannot run machine "${config.longName}" as user "${user.name}"`, {
    hint: `do it as root, or set RUNAS= in its file`,
  });
}

/** A user with the number 0 is root, whatever its name. */
function rootRefused(name: string): QemuError {
  return new QemuError('QEMU_CONFIG_INVALID', `RUNAS must be a user other than root, and "${name}" has the number 0`, {
    hint: 'set RUNAS=qemu',
  });
}

/**
 * What stands before QEMU on the command line so that it has the user, the user's groups and no capability from its first
 * instruction on. QEMU's own `-runas` comes after its start, and excludes the sandbox.
 */
export function runAsPrefix(user: User | undefined): string[] {
  if (!user) return [];
  return [
    'setpriv',
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--init-groups',
    '--inh-caps=-all',
    '--bounding-set=-all',
    // A setuid program would give back what was taken.
    '--no-new-privs',
    '--',
  ];
}

/** Gives the user what QEMU has to write to or read of the machine's own files, and no more. */
export function handOver(files: MachinePaths, user: User | undefined, firmwareVariables: string | undefined): void {
  if (!user) return;
  const { uid, gid } = user;
  // The folder above stays root's: what a captured QEMU puts into its own folder, root never follows.
  chownSync(files.dir, 0, gid);
  chmodSync(files.dir, 0o710);
  lchownSync(files.qemuDir, uid, gid);
  if (directoryExists(files.tlsDir)) {
    chownSync(files.tlsDir, 0, gid);
    chmodSync(files.tlsDir, 0o750);
    for (const name of readdirSync(files.tlsDir)) {
      chownSync(join(files.tlsDir, name), 0, gid);
      chmodSync(join(files.tlsDir, name), 0o640);
    }
  }
  const log = openLog(files.consoleLog, 0o640);
  try {
    fchownSync(log, uid, gid);
    // A file of another user's may have any mode.
    fchmodSync(log, 0o640);
  } finally {
    closeSync(log);
  }
  if (firmwareVariables !== undefined) {
    chownSync(files.stateDir, 0, gid);
    chmodSync(files.stateDir, 0o710);
    chownSync(firmwareVariables, uid, gid);
  }
}

function directoryExists(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}
