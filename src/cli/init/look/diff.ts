import { diffMachine } from '../../../machine/change/reload.ts';
import type { KeyDifference } from '../../../machine/plug/difference.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

const NONE = 'nothing to change';

/** Shows what a reload of running machines would do. */
export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.list().filter((target) => fleet.isAlive(target)));
  const outcomes = await fleet.each(selection.targets, selection.targets.length, (target) =>
    diffMachine(fleet.host, target, fleet.config(target), context.signal),
  );
  return present<readonly KeyDifference[]>(context, selection, outcomes, {
    text: describe,
    same: (rows) => (rows.length === 0 ? NONE : undefined),
    json: (rows) => ({
      differences: rows.map(({ key, running, file, how, why }) => ({
        key,
        running: running || null,
        file: file || null,
        how,
        reason: why,
      })),
    }),
  });
}

function describe(name: string, rows: readonly KeyDifference[]): string {
  if (rows.length === 0) return `${name}: ${NONE}`;
  return rows
    .map(({ key, running, file, how, why }) => {
      const reason = why === undefined ? '' : `: ${why}`;
      return `${name}: ${key}: ${running || 'none'} -> ${file || 'none'} (${how}${reason})`;
    })
    .join('\n');
}
