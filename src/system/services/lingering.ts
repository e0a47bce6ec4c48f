import { existsSync } from 'node:fs';
import { callerName } from '../users.ts';

/**
 * Whether the caller's service manager runs from the boot of the host to its end, not only during a login: loginctl(1),
 * enable-linger.
 */
export function isLingering(): boolean {
  return existsSync(`/var/lib/systemd/linger/${callerName()}`);
}
