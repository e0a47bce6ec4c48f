import { existsSync } from 'node:fs';
import { isSystemdBooted } from './systemd.ts';

/** The init system, which starts machines at boot and stops them at shutdown. */
export type InitSystem = 'systemd' | 'openrc' | 'sysv';

/**
 * The init system of this host. In a root folder that is not booted, such as that of an image in the making, systemd is
 * not seen.
 */
export function initSystem(): InitSystem {
  if (isSystemdBooted()) return 'systemd';
  return existsSync('/sbin/openrc-run') ? 'openrc' : 'sysv';
}
