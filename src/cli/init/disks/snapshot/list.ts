import type { Snapshot } from '../../../../machine/snapshot/list.ts';
import { sizeText } from '../../../output/sizes.ts';
import { localTime } from '../../../output/times.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { type SelectionArguments, select } from '../../../shared/selection.ts';

/** Lists the snapshots of machines. */
export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const fleet = context.fleet();
  const { output } = context;
  const chosen = args.ids?.length ? args : { ...args, all: true };
  const selection = select(context, chosen, () => fleet.list());
  const outcomes = await fleet.each(selection.targets, selection.targets.length, (target) =>
    fleet.machine(target).snapshots.list(),
  );
  const rows = outcomes.flatMap((each) => (each.ok ? each.value.map((one) => rowOf(each.target.longName, one)) : []));
  if (rows.length > 0 && !output.json) {
    output.table([['NAME', 'SNAPSHOT', 'CREATED', 'SIZE', 'WITH', 'DISKS', 'DESCRIPTION'], ...rows], {
      optional: ['DISKS', 'DESCRIPTION'],
      cut: 'DESCRIPTION',
    });
  }
  if (rows.length === 0 && outcomes.some(({ ok }) => ok)) output.note('info', 'no snapshots');
  return present<readonly Snapshot[]>(context, selection, outcomes, {
    text: () => undefined,
    json: (snapshots) => ({ snapshots }),
  });
}

function rowOf(machine: string, snapshot: Snapshot): string[] {
  const { name, created, sizeBytes, memory, quiesced, external, disks, below, description = '' } = snapshot;
  const traits = [
    ...(memory ? ['memory'] : []),
    ...(quiesced === true ? ['frozen'] : []),
    ...(external ? ['external'] : []),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  const size = sizeBytes === 0 ? '-' : sizeText(sizeBytes);
  return [machine, name, localTime(created), size, traits.join(',') || '-', disks.join(','), description];
}
