import { statSync } from 'node:fs';
import { shellCommand } from '../config/shell-words.ts';
import type { MachineConfig } from '../config/types.ts';
import type { ConfigIssue } from '../errors.ts';
import { modeText, readersOf } from '../system/file-access.ts';
import { issueAt } from './issues.ts';

/** Warnings of files that are secret by their nature, and open to other users: disks, and the password of VNC. */
export function openFileIssues(config: MachineConfig): ConfigIssue[] {
  const { vnc } = config;
  const password = vnc.kind === 'off' ? undefined : vnc.passwordFile;
  return [
    ...config.disks.flatMap(({ index, file }) => openIssue(config, `DSK${index}`, file, ['everybody'])),
    ...(password === undefined ? [] : openIssue(config, 'VNC', password, ['everybody', 'group'])),
  ];
}

/** A group may be that of the machine's user, which has to read its disks, but never its password. */
function openIssue(config: MachineConfig, key: string, file: string, to: readonly string[]): ConfigIssue[] {
  let stats: ReturnType<typeof statSync>;
  try {
    stats = statSync(file);
  } catch {
    // It is missing, which is reported elsewhere, or in a folder that is closed to this user.
    return [];
  }
  const readers = readersOf(file, stats);
  if (!stats.isFile() || !to.includes(readers)) return [];
  const who = readers === 'everybody' ? 'every user of this host' : 'its group';
  const message = `${key} "${file}" can be read by ${who} (mode ${modeText(stats)})`;
  return [{ ...issueAt(config, key, message, shellCommand('chmod', 'go-rwx', file)), severity: 'warning' }];
}
