import type { Context } from '../../../run/context.ts';
import { workOn } from '../../../shared/long-work.ts';

/** Deletes a snapshot of a machine. */
export function run(context: Context, args: { readonly id: string; readonly snapshot: string }): Promise<number> {
  return workOn(context, args.id, ({ snapshots }, options) => snapshots.delete(args.snapshot, options), {
    text: (name, { snapshot, disks }) => `${name}: snapshot ${snapshot} is deleted (${disks.join(', ')})`,
    json: (deleted) => deleted,
  });
}
