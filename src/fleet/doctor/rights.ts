import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { shellCommand } from '../../config/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { Paths } from '../../system/paths.ts';
import { userName } from '../../system/users.ts';
import type { Finding } from './finding.ts';

/**
 * Who else may change what this user's machines are made of. The files name programs to be run (PRECMD and its kin, TGTARCH),
 * so who may write them is as good as the one who starts machines.
 */
export function judgeRights(configs: readonly MachineConfig[], paths: Paths): Finding[] {
  const host = [paths.etcDir, paths.registryFile, paths.defaultsFile, paths.monitorFile, paths.stateDir, paths.runDir];
  const files = configs.flatMap(({ path }) => [path, dirname(path)]);
  return [...new Set([...host, ...files])].flatMap(judgePath);
}

function judgePath(path: string): Finding[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  const isSticky = stats.isDirectory() && (stats.mode & 0o1000) !== 0;
  const mine = process.getuid?.() ?? 0;
  if (stats.uid !== 0 && stats.uid !== mine) {
    return [finding('error', path, `belongs to ${userName(stats.uid)}`, shellCommand('chown', userName(mine), path))];
  }
  if ((stats.mode & 0o002) !== 0 && !isSticky) {
    return [finding('error', path, 'can be changed by every user of this host', shellCommand('chmod', 'o-w', path))];
  }
  // A group of the same number is the user's own on hosts with user private groups.
  if ((stats.mode & 0o020) !== 0 && stats.gid !== 0 && stats.gid !== stats.uid && !isSticky) {
    return [
      finding(
        'warning',
        path,
        `can be changed by every member of group ${stats.gid}`,
        shellCommand('chmod', 'g-w', path),
      ),
    ];
  }
  return [];
}

function finding(severity: Finding['severity'], path: string, what: string, fix: string): Finding {
  const detail = `"${path}" ${what}, who can thereby have programs run when a machine starts`;
  return { severity, machine: undefined, title: 'Others may change configuration', detail, fix };
}
