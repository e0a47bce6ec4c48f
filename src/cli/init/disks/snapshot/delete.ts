import type { DeletedSnapshot } from '../../../../machine/snapshot/delete.ts';
import { showProgress } from '../../../output/progress.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

/** Deletes a snapshot of a machine. */
export async function run(context: Context, args: { readonly id: string; readonly snapshot: string }): Promise<number> {
  const fleet = context.fleet();
  const { output, signal } = context;
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    showProgress(output, target.longName, (onProgress) =>
      fleet.machine(target).snapshots.delete(args.snapshot, { signal, onProgress }),
    ),
  );
  return present<DeletedSnapshot>(context, selection, outcomes, {
    text: (name, { snapshot, disks }) => `${name}: snapshot ${snapshot} is deleted (${disks.join(', ')})`,
    json: (deleted) => deleted,
  });
}
