import type { RevertedSnapshot } from '../../../../machine/snapshot/revert.ts';
import { showProgress } from '../../../output/progress.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

/** Makes a machine what it was at a snapshot. */
export async function run(context: Context, args: { readonly id: string; readonly snapshot: string }): Promise<number> {
  const fleet = context.fleet();
  const { output, signal } = context;
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    showProgress(output, target.longName, (onProgress) =>
      fleet.machine(target).snapshots.revert(args.snapshot, { signal, onProgress }),
    ),
  );
  return present<RevertedSnapshot>(context, selection, outcomes, {
    text: (name, { snapshot, memory, state, kept }) => {
      const rest = kept.length === 0 ? '' : `; what it was is kept in ${kept.join(', ')}`;
      return `${name}: reverted to ${snapshot}: ${describe(memory, state)}${rest}`;
    },
    json: (reverted) => reverted,
  });
}

function describe(memory: boolean, state: string): string {
  if (memory && state === 'paused') return 'the guest has its memory of then, and is paused as before';
  if (memory) return 'the guest goes on from its memory of then';
  return state === 'running' ? 'the machine was started again' : 'the machine stays stopped';
}
