import { dirname } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import type { MachineRef } from '../../../machine/context.ts';
import type { Paths } from '../../../system/paths.ts';
import { trustFolder, trustPath } from '../../../system/trust/trusted-path.ts';
import type { Finding } from './finding.ts';

/**
 * Who else may change what this user's machines are made of. The files name programs to be run (PRECMD and related keys,
 * TGTARCH), so any user who may write them is as good as the one who starts machines. Every command refuses what is found.
 */
export function checkRights(targets: readonly MachineRef[], paths: Paths): Finding[] {
  const host = [paths.etcDir, paths.registryFile, paths.defaultsFile, paths.monitorFile, paths.stateDir, paths.runDir];
  const files = targets.flatMap(({ configPath }) => [configPath, dirname(configPath)]);
  return [
    ...[...new Set([...host, ...files])].flatMap((path) => judge(path, trustPath)),
    ...judge(paths.logDir, trustFolder),
  ];
}

function judge(path: string, demand: (path: string) => unknown): Finding[] {
  try {
    demand(path);
    return [];
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const { message, hint } = error;
    const title = 'Others may change configuration';
    return [{ severity: 'error', machine: undefined, title, detail: message, fix: hint ?? `look at "${path}"` }];
  }
}
