import { type DumpResult, dumpMemory } from '../../../machine/observe/dump.ts';
import { showProgress } from '../../output/progress.ts';
import { sizeText } from '../../output/sizes.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { select } from '../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly file: string;
}

/** Writes the memory of a guest to a file. */
export async function run(context: Context, { id, file }: Arguments): Promise<number> {
  const { output, signal } = context;
  const fleet = context.fleet();
  const selection = select(context, { ids: [id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    showProgress(output, target.longName, (onProgress) => dumpMemory(fleet.host, target, file, { signal, onProgress })),
  );
  return present<DumpResult>(context, selection, outcomes, {
    text: (name, { sizeBytes }) => `${name}: memory written to ${file}: ${sizeText(sizeBytes)}`,
    json: ({ sizeBytes }) => ({ file, sizeBytes }),
  });
}
