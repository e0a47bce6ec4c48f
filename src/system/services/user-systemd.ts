import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Paths } from '../paths.ts';
import { isSystemdBooted, isUserUnitInstalled } from './systemd.ts';

/**
 * Run-time folder of the service manager that the machines of a scope are units of; undefined: the host's own manager.
 */
export function userManagerOf({ scope, runDir }: Paths): string | undefined {
  return scope === 'user' ? dirname(runDir) : undefined;
}

/**
 * Whether the caller has a service manager that knows our units: user@.service(5). Not for root, nor without a login.
 */
export function hasUserUnits(paths: Paths): boolean {
  const folder = userManagerOf(paths);
  if (folder === undefined || !isSystemdBooted() || !isUserUnitInstalled('qemu@.service')) return false;
  return existsSync(join(folder, 'systemd/private'));
}
