import type { StopResult } from '../../machine/stop.ts';
import type { Presentation } from '../many.ts';

/** How a stop is shown. */
export const stopOutcome: Presentation<StopResult> = {
  text: (name, { outcome, rung, seconds }) =>
    outcome === 'not-running' ? `${name}: not running` : `${name}: stopped by ${rung} in ${seconds} s`,
  json: ({ outcome, rung, seconds }) => ({ outcome, rung, seconds }),
  // No rung has ended the guest.
  failed: (seconds) => ({ outcome: 'failed', rung: 'none', seconds }),
};
