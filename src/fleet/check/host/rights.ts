import { dirname } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import type { Problem } from '../../../base/problem.ts';
import type { MachineRef } from '../../../machine/context.ts';
import type { Paths } from '../../../system/paths.ts';
import { trustFolder, trustPath } from '../../../system/trust/trusted-path.ts';

/**
 * Who else may change what this user's machines are made of. The files name programs to be run (PRECMD and related
 * keys, TGTARCH), so any user who may write them is as good as the one who starts machines. Every command refuses what
 * is found.
 */
export function checkRights(targets: readonly MachineRef[], paths: Paths): Problem[] {
  const host = [paths.etcDir, paths.registryFile, paths.defaultsFile, paths.monitorFile, paths.stateDir, paths.runDir];
  const files = targets.flatMap(({ configPath }) => [configPath, dirname(configPath)]);
  return [
    ...[...new Set([...host, ...files])].flatMap((path) => check(path, trustPath)),
    ...check(paths.logDir, trustFolder),
  ];
}

function check(path: string, demand: (path: string) => unknown): Problem[] {
  try {
    demand(path);
    return [];
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const { message: detail, hint } = error;
    const message = 'Others may change the configuration';
    return [{ severity: 'error', machine: undefined, message, detail, hint: hint ?? `look at "${path}"` }];
  }
}
