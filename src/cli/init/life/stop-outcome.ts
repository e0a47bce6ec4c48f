import { MachineStateError } from '../../../base/errors.ts';
import type { StopResult } from '../../../machine/stop/stop.ts';
import type { Presentation } from '../../shared/many.ts';

/** How a stop is shown. */
export const stopOutcome: Presentation<StopResult> = {
  text: (name, { outcome, rung, seconds }) =>
    outcome === 'not-running' ? `${name}: not running` : `${name}: stopped by ${rung} in ${seconds} s`,
  same: ({ outcome }) => (outcome === 'not-running' ? 'not running' : undefined),
  json: ({ outcome, rung, state, seconds }) => ({ outcome, rung, state, seconds }),
  // No step has ended the guest.
  failed: (seconds, error) => ({ outcome: 'failed', rung: 'none', state: stateOf(error), seconds }),
};

/** The state of a machine that a command could not change. */
function stateOf(error: unknown): string | undefined {
  return error instanceof MachineStateError ? error.state : undefined;
}
