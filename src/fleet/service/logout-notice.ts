import type { MachineRef } from '../../machine/context.ts';
import type { Paths } from '../../system/paths.ts';
import { isLingering } from '../../system/services/lingering.ts';
import { isSystemdBooted, unitOf } from '../../system/services/systemd.ts';
import { callerName } from '../../system/users.ts';
import { unitName } from './units/unit-text.ts';

/**
 * Warns users whose machine ends at logout: without lingering systemd ends their service manager with their last
 * session, and with KillUserProcesses= in logind.conf(5) also the processes of the session. Undefined if it keeps
 * running, and its unit stops it when the host goes down.
 *
 * @param pid that of its QEMU.
 */
export function logoutNotice({ scope }: Paths, { longName }: MachineRef, pid: number): string | undefined {
  if (scope !== 'user' || !isSystemdBooted()) return undefined;
  const keep = `loginctl enable-linger ${callerName()}`;
  const isInUnit = unitOf(pid) === unitName(longName);
  if (isInUnit) return isLingering() ? undefined : `it is shut down when you log out; to prevent that: ${keep}`;
  const risk =
    'QEMU belongs to your session: systemd may end it when you log out, and kills it when the host shuts down';
  return isLingering()
    ? `${risk}; start it without --direct, on a host with qemu-init installed`
    : `${risk}; before the next start: ${keep}`;
}
