import type { DiskList, ListedDisk, ListedImage } from '../../../../machine/disks/list-disks.ts';
import { sizeText } from '../../../output/sizes.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { type SelectionArguments, select } from '../../../shared/selection.ts';

/** Each starts a few programs, or asks a QEMU. */
const PARALLEL = 8;

/** Lists the disks of machines. */
export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const fleet = context.fleet();
  const { output, signal } = context;
  const chosen = args.ids?.length ? args : { ...args, all: true };
  const selection = select(context, chosen, () => fleet.list());
  const outcomes = await fleet.each(selection.targets, PARALLEL, (target) =>
    fleet.machine(target).disks.list({ signal }),
  );
  if (!output.json)
    showTable(
      context,
      outcomes.flatMap((each) => (each.ok ? [[each.target.longName, each.value]] : [])),
    );
  return present<DiskList>(context, selection, outcomes, { text: () => undefined, json: (list) => ({ ...list }) });
}

function showTable({ output }: Context, lists: readonly (readonly [string, DiskList])[]): void {
  const rows = lists.flatMap(([name, { disks }]) => disks.flatMap((disk) => rowsOf(name, disk)));
  if (rows.length === 0) return;
  output.table([['NAME', 'DISK', 'SIZE', 'USED', 'FORMAT', 'STATE', 'FILE'], ...rows], {
    optional: ['FORMAT'],
    cut: 'FILE',
  });
}

/** A line for each image, and one for each kind of what is in it. */
function rowsOf(name: string, disk: ListedDisk): string[][] {
  return disk.chain.flatMap((layer, depth) => {
    const isTop = depth === 0;
    const file = isTop ? layer.file : `${'  '.repeat(depth - 1)}└ ${layer.file}`;
    const used = layer.actualSizeBytes === undefined ? '-' : sizeText(layer.actualSizeBytes);
    const size = sizeText(layer.virtualSizeBytes);
    return [
      [isTop ? name : '', isTop ? disk.key : '', size, used, layer.format, isTop ? stateOf(disk) : '', file],
      ...contentsOf(layer).map((text) => ['', '', '', '', '', '', `${'  '.repeat(depth)}  ${text}`]),
    ];
  });
}

function stateOf({ ioStatus, readonly }: ListedDisk): string {
  if (ioStatus === 'nospace') return 'no space';
  if (ioStatus === 'failed') return 'failed';
  return readonly ? 'readonly' : 'ok';
}

function contentsOf({ snapshots, bitmaps }: ListedImage): string[] {
  return [
    ...(snapshots.length === 0 ? [] : [`snapshots: ${snapshots.map((each) => each.name || each.id).join(', ')}`]),
    ...(bitmaps.length === 0
      ? []
      : [
          `bitmaps: ${bitmaps.map(({ name, inconsistent }) => (inconsistent ? `${name} (unusable)` : name)).join(', ')}`,
        ]),
  ];
}
