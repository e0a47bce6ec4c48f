import type { MachineRef } from '../../machine/context.ts';
import type { Paths } from '../../system/paths.ts';
import { isSystemdBooted, unitProperties } from '../../system/services/systemd.ts';
import { userManagerOf } from '../../system/services/user-systemd.ts';
import { hasGivenUp } from './crashes.ts';
import { unitName } from './units/unit-text.ts';

/**
 * What RESTART means for a machine that has ended. `pending`: systemd is about to start it; `given-up`: it will not.
 */
export type RestartState = 'pending' | 'given-up';

/** systemd answers in milliseconds; `status` must not wait for one that hangs. */
const ANSWER_MS = 1_500;

/**
 * The same of one machine with RESTART that does not run. Undefined if no service manager runs it, or if that does not
 * answer.
 */
export async function restartState(paths: Paths, { longName }: MachineRef): Promise<RestartState | undefined> {
  if (paths.scope === 'root' || !isSystemdBooted()) return undefined;
  if (hasGivenUp(paths, longName)) return 'given-up';
  try {
    const options = { timeoutMs: ANSWER_MS, manager: userManagerOf(paths) };
    const shown = await unitProperties(unitName(longName), ['SubState'], options);
    return (shown.get('SubState') ?? '').startsWith('auto-restart') ? 'pending' : undefined;
  } catch {
    return undefined;
  }
}
