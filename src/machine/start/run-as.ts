import { chmodSync, chownSync, closeSync, fchmodSync, fchownSync, lchownSync } from 'node:fs';
import { dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { openLog } from '../../system/files/log/log-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { giveSecret, giveSecrets, letPass } from '../../system/secrets.ts';
import { findUser, furtherGroups, groupOfFile, lookUpUser, MACHINES_GROUP, type User } from '../../system/users.ts';

/** The user that QEMU runs as, and the groups that it has in addition to the user's primary one. */
export interface RunAs extends User {
  /** Undefined: those that the user is a member of. */
  readonly groups?: readonly number[] | undefined;
}

/** What is needed to know about a machine. */
export type RunAsConfig = Pick<MachineConfig, 'runAs' | 'ownUser' | 'longName'>;

/**
 * The user that QEMU is to run as; undefined when that is the caller. Makes none.
 *
 * @param accelerator what the guest runs under: with RUNAS=auto only `kvm` brings the group of `/dev/kvm`.
 * @throws {QemuError} `QEMU_CONFIG_INVALID` for a user that does not exist, or is root, `QEMU_NOT_PERMITTED` when only
 * root could.
 */
export async function resolveRunAs(config: RunAsConfig, accelerator?: 'kvm' | 'tcg'): Promise<RunAs | undefined> {
  if (config.runAs === undefined) return undefined;
  const uid = process.getuid?.();
  // Of an own user that is still to be made the error would be that there is none.
  if (config.ownUser && uid !== 0) throw notPermitted(config.longName, config.runAs);
  const user = await findRunAsUser(config.runAs);
  if (user.uid === uid) return undefined;
  if (uid !== 0) throw notPermitted(config.longName, user.name);
  return config.ownUser ? { ...user, groups: ownGroups(user.name, accelerator) } : user;
}

/** The groups that an administrator gave the user, and that of KVM where it is used. */
function ownGroups(name: string, accelerator: 'kvm' | 'tcg' | undefined): number[] {
  const kvm = accelerator === 'kvm' ? groupOfFile('/dev/kvm') : undefined;
  return [...new Set([...furtherGroups(name), ...(kvm === undefined ? [] : [kvm])])];
}

function notPermitted(longName: string, user: string): QemuError {
  return new QemuError('QEMU_NOT_PERMITTED', `Cannot run machine "${longName}" as user "${user}"`, {
    hint: `do it as root, or set RUNAS= in its file`,
  });
}

/**
 * The user that `RUNAS=` names.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` for one that does not exist, or is root.
 */
export async function findRunAsUser(name: string): Promise<User> {
  const user = await findUser(name);
  if (user.uid === 0) throw rootRefused(name);
  return user;
}

/** A user with the number 0 is root, whatever its name. */
function rootRefused(name: string): QemuError {
  return new QemuError('QEMU_CONFIG_INVALID', `RUNAS must be a user other than root; "${name}" has uid 0`, {
    hint: 'set RUNAS=qemu',
  });
}

/**
 * The wrapper in front of QEMU on the command line so that it has the user, the user's groups and no capability from
 * its first instruction on. QEMU's own `-runas` comes after its start, and excludes the sandbox.
 */
export function runAsPrefix(user: (Pick<RunAs, 'groups'> & Ids) | undefined): string[] {
  if (!user) return [];
  const { groups } = user;
  return [
    'setpriv',
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    groups === undefined ? '--init-groups' : groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`,
    '--inh-caps=-all',
    '--bounding-set=-all',
    // A setuid program would give back what was taken.
    '--no-new-privs',
    '--',
  ];
}

/** Numbers, or the names of what is still to be made. */
interface Ids {
  readonly uid: number | string;
  readonly gid: number | string;
}

/** The same of a machine. With RUNAS it never gains privileges, be it as the caller. */
export function prefixOf({ runAs }: RunAsConfig, user: RunAs | undefined): string[] {
  return runAs !== undefined && !user ? ['setpriv', '--no-new-privs', '--'] : runAsPrefix(user);
}

/** The same of what a start would do now, which would make the machine's own user first. */
export async function previewRunAsPrefix(config: RunAsConfig, accelerator: 'kvm' | 'tcg'): Promise<string[]> {
  const isToCome = config.ownUser && process.getuid?.() === 0 && (await lookUpUser(config.runAs ?? '')) === undefined;
  if (!isToCome) return prefixOf(config, await resolveRunAs(config, accelerator));
  const name = config.runAs ?? '';
  return runAsPrefix({ uid: name, gid: MACHINES_GROUP, groups: ownGroups(name, accelerator) });
}

/** Lets the user, and no other, read the copies of the keys of encrypted images. */
export function giveKeys(files: MachinePaths, user: RunAs | undefined): void {
  if (user) giveSecrets(files.keysDir, user);
}

/**
 * Gives the user what QEMU has to write to or read of the machine's own files, and no more. A machine's own user shares
 * its group with those of other machines, so nothing is open to that.
 */
export function handOver(files: MachinePaths, user: RunAs | undefined, firmwareVariables: string | undefined): void {
  if (!user) return;
  const { uid, gid } = user;
  // The folder above stays root's: what a captured QEMU puts into its own folder, root never follows.
  letPass(files.dir, gid);
  lchownSync(files.qemuDir, uid, gid);
  giveSecrets(files.tlsDir, user);
  giveKeys(files, user);
  giveSecret(files.seed, user);
  const log = openLog(files.consoleLog, 0o600);
  try {
    fchownSync(log, uid, gid);
    // A file of another user may have any mode.
    fchmodSync(log, 0o600);
  } finally {
    closeSync(log);
  }
  // Those that the cfg names are a file of the administrator's, like an image.
  if (firmwareVariables !== undefined && dirname(firmwareVariables) === files.stateDir) {
    chownSync(files.stateDir, 0, gid);
    chmodSync(files.stateDir, 0o710);
    chownSync(firmwareVariables, uid, gid);
    chmodSync(firmwareVariables, 0o600);
  }
}
