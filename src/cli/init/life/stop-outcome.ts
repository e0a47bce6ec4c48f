import { MachineStateError } from '../../../base/errors.ts';
import type { StopResult } from '../../../machine/stop/stop.ts';
import { describeStop } from '../../../machine/stop/stop-plan.ts';
import type { Presentation } from '../../shared/many.ts';
import { NOTHING_RUNS } from '../../shared/selection.ts';

/** How a stop is shown. */
export const stopOutcome: Presentation<StopResult> = {
  text: (name, { outcome, rung, saved, seconds }) => {
    if (outcome === 'not-running') return `${name}: ${notRunningText(saved)}`;
    return `${name}: ${describeStop(rung, seconds)}`;
  },
  same: ({ outcome, saved }) => (outcome === 'not-running' ? notRunningText(saved) : undefined),
  none: NOTHING_RUNS,
  json: ({ outcome, rung, state, saved, seconds }) => ({ outcome, rung, state, saved, seconds }),
  // No step has ended the guest.
  failed: (seconds, error) => ({ outcome: 'failed', rung: 'none', state: stateOf(error), saved: undefined, seconds }),
};

function notRunningText(saved: boolean): string {
  return saved ? 'not running (saved)' : 'not running';
}

/** The state of a machine that a command could not change. */
function stateOf(error: unknown): string | undefined {
  return error instanceof MachineStateError ? error.state : undefined;
}
