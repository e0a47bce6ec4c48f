import { type Stats, statSync } from 'node:fs';
import type { Problem } from '../../base/problem.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import { modeText, readersOf } from '../../system/files/file-access.ts';
import { groupId, MACHINES_GROUP } from '../../system/users.ts';
import { issueAt } from './issues.ts';

/** Warnings of files that are secret by their nature, and open to other users: disks, and the password of VNC. */
export function openFileIssues(config: MachineConfig): Problem[] {
  const { vnc } = config;
  const password = vnc.kind === 'off' ? undefined : vnc.passwordFile;
  return [
    ...config.disks.flatMap((disk) => openIssue(config, `DSK${disk.index}`, disk.file, ['everybody'])),
    ...config.disks.filter(isWritten).flatMap((disk) => sharedIssue(config, `DSK${disk.index}`, disk.file)),
    ...(password === undefined ? [] : openIssue(config, 'VNC', password, ['everybody', 'group'])),
  ];
}

function isWritten({ readonly, snapshot }: DiskConfig): boolean {
  return !readonly && !snapshot;
}

/** With RUNAS=auto the group of the users of machines is for what they share; a disk is not. */
function sharedIssue(config: MachineConfig, key: string, file: string): Problem[] {
  const stats = statsOf(file);
  const isShared = stats?.gid === groupId(MACHINES_GROUP) && ((stats?.mode ?? 0) & 0o070) !== 0;
  if (!config.ownUser || !isShared || !stats?.isFile() || readersOf(file, stats) === 'everybody') return [];
  const message = `${key} "${file}" is open to the QEMU of every machine through its group (mode ${modeText(stats)})`;
  return [{ ...issueAt(config, key, message, shellCommand('chmod', 'go-rwx', file)), severity: 'warning' }];
}

/** A group may be that of the machine's user, which has to read its disks, but never its password. */
function openIssue(config: MachineConfig, key: string, file: string, to: readonly string[]): Problem[] {
  const stats = statsOf(file);
  if (stats === undefined) return [];
  const readers = readersOf(file, stats);
  if (!stats.isFile() || !to.includes(readers)) return [];
  const who = readers === 'everybody' ? 'every user of this host' : 'its group';
  const message = `${key} "${file}" can be read by ${who} (mode ${modeText(stats)})`;
  return [{ ...issueAt(config, key, message, shellCommand('chmod', 'go-rwx', file)), severity: 'warning' }];
}

/** Undefined for a file that is missing, which is reported elsewhere, or in a folder that is closed to this user. */
function statsOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}
