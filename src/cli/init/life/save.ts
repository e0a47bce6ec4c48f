import type { SaveResult } from '../../../machine/state/save-machine.ts';
import { ProgressDisplay } from '../../output/progress.ts';
import { sizeText } from '../../output/sizes.ts';
import type { Context } from '../../run/context.ts';
import { type Presentation, present } from '../../shared/many.ts';
import { NOTHING_RUNS, type SelectionArguments, select } from '../../shared/selection.ts';

interface Arguments extends SelectionArguments {
  readonly parallel?: number;
}

/** Saves the state of guests and ends their QEMUs. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.listWithRunning().filter((target) => fleet.isAlive(target)));
  const display = new ProgressDisplay(context.output);
  // One disk takes them all: two at a time would be slower.
  const outcomes = await fleet.each(selection.targets, args.parallel ?? 1, async (target) => {
    try {
      return await fleet.save(target, { signal: context.signal, onProgress: display.of(target.longName) });
    } finally {
      display.end(target.longName);
    }
  });
  return present<SaveResult>(context, selection, outcomes, saveOutcome);
}

const saveOutcome: Presentation<SaveResult> = {
  text: (name, { outcome, sizeBytes, seconds }) =>
    outcome === 'already-saved'
      ? `${name}: already saved`
      : `${name}: saved in ${seconds} s (${sizeText(sizeBytes ?? 0)}); to go on: qemu-init start ${name}`,
  none: NOTHING_RUNS,
  same: ({ outcome }) => (outcome === 'already-saved' ? 'already saved' : undefined),
  json: ({ outcome, sizeBytes, seconds }) => ({ outcome, sizeBytes, seconds }),
  failed: (seconds) => ({ outcome: 'failed', sizeBytes: undefined, seconds }),
};
