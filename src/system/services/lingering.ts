import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';

/**
 * Whether the caller's service manager runs from the boot of the host to its end, not only during a login: loginctl(1),
 * enable-linger.
 */
export function isLingering(): boolean {
  return existsSync(`/var/lib/systemd/linger/${callerName()}`);
}

/** Name of the calling user; the number if it has no name. */
export function callerName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}
