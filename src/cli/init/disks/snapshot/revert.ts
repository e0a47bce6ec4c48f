import type { Context } from '../../../run/context.ts';
import { workOn } from '../../../shared/long-work.ts';

/** Makes a machine what it was at a snapshot. */
export function run(context: Context, args: { readonly id: string; readonly snapshot: string }): Promise<number> {
  return workOn(context, args.id, ({ snapshots }, options) => snapshots.revert(args.snapshot, options), {
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
