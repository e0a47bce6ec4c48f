import type { CheckedImage } from '../../../../machine/disks/check-layer.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { patiently } from '../../../shared/patience.ts';
import { select } from '../../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly disk?: string;
  readonly repair?: 'leaks' | 'all';
}

/** Checks the images of a stopped machine. The exit status is 1 when one of them is damaged. */
export async function run(context: Context, { id, disk, repair }: Arguments): Promise<number> {
  const fleet = context.fleet();
  const { signal } = context;
  const selection = select(context, { ids: [id] }, () => []);
  const work = fleet.each(selection.targets, 1, (target) =>
    fleet.machine(target).disks.check({ key: disk, repair, signal }),
  );
  const outcomes = await patiently(context, work, () => 'reading the tables of the images');
  return present<readonly CheckedImage[]>(context, selection, outcomes, {
    text: (name, images) =>
      images.map((image) => `${name}: ${image.key}: "${image.file}" ${describe(image)}`).join('\n'),
    json: (images) => ({ disks: images }),
    code: (images) => (images.some(({ outcome }) => outcome === 'damaged') ? 1 : 0),
  });
}

function describe({ outcome, format, errors, leakedClusters, repaired }: CheckedImage): string {
  const done = repaired > 0 ? `; ${repaired} repaired` : '';
  switch (outcome) {
    case 'ok':
      return `is in order${done}`;
    case 'leaks':
      return `takes more room than it needs (clusters: ${leakedClusters}); no data is lost; --repair leaks gives it back${done}`;
    case 'damaged':
      return `is damaged (errors: ${errors}): copy it first, then --repair all${done}`;
    case 'unchecked':
      return `is ${format}, which has nothing to check`;
    default:
      return outcome satisfies never;
  }
}
