import type { MachineRef } from '../../machine/context.ts';
import type { Paths } from '../../system/paths.ts';
import { isSystemdBooted, unitProperties } from '../../system/services/systemd.ts';
import { userManagerOf } from '../../system/services/user-systemd.ts';
import { hasGivenUp } from './crashes.ts';
import { unitName } from './units/unit-text.ts';

/** What RESTART means for a machine that has ended. `pending`: systemd is about to start it; `given-up`: it does no more. */
export type RestartState = 'pending' | 'given-up';

/** Nobody who looks is to wait for systemd, which answers in milliseconds. */
const ANSWER_MS = 1_500;

/** The same of one machine with RESTART that does not run. Undefined where no service manager sees to it, or when it is silent. */
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
