import { QemuError } from '../../base/errors.ts';
import { isSystemdBooted, systemctl } from './systemd.ts';

/** systemd answers at once, or is in trouble. */
const ASK_MS = 5_000;

/** Whether the host is going down or about to reboot, as its systemd says: systemctl(1), is-system-running. */
export async function isHostStopping(): Promise<boolean> {
  if (!isSystemdBooted()) return false;
  try {
    const { stdout } = await systemctl(['is-system-running'], { timeoutMs: ASK_MS });
    return stdout.trim() === 'stopping';
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return false;
  }
}
