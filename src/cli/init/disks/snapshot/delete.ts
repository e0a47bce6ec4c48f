import type { DeletedSnapshot } from '../../../../machine/snapshot/delete.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

/** Deletes a snapshot of a machine. */
export async function run(context: Context, args: { readonly id: string; readonly snapshot: string }): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    fleet.machine(target).snapshots.delete(args.snapshot, context.signal),
  );
  return present<DeletedSnapshot>(context, selection, outcomes, {
    text: (name, { snapshot, disks }) => `${name}: snapshot ${snapshot} is deleted from ${disks.join(', ')}`,
    json: (deleted) => deleted,
  });
}
