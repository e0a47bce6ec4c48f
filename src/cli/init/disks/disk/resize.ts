import { renderSize } from '../../../../config/text/values.ts';
import type { ResizeResult } from '../../../../machine/disks/resize.ts';
import { sizeOfDisk } from '../../../../provision/disks/disk-size.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';
import type { DiskArguments } from './copy.ts';

interface Arguments extends DiskArguments {
  readonly size: string;
  readonly shrink?: boolean;
}

/** Changes the size of a disk. */
export async function run(context: Context, { id, disk, size, shrink }: Arguments): Promise<number> {
  const fleet = context.fleet();
  const { signal } = context;
  const relative = size.startsWith('+');
  const bytes = sizeOfDisk(relative ? size.slice(1) : size);
  const selection = select(context, { ids: [id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    fleet.machine(target).disks.resize(disk, bytes, { relative, shrink, signal }),
  );
  return present<ResizeResult>(context, selection, outcomes, {
    text: (name, { key, outcome, sizeBytes, previousBytes }) =>
      outcome === 'unchanged'
        ? `${name}: ${key} has ${renderSize(sizeBytes)} already`
        : `${name}: ${key} has ${renderSize(sizeBytes)} now, ${renderSize(previousBytes)} before`,
    json: ({ key, outcome, sizeBytes, previousBytes }) => ({ key, outcome, sizeBytes, previousBytes }),
  });
}
