import type { CreatedSnapshot } from '../../../../machine/snapshot/create-options.ts';
import { showProgress } from '../../../output/progress.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly snapshot?: string;
  readonly memory?: boolean;
  readonly quiesce: 'auto' | 'on' | 'off';
  readonly description?: string;
  readonly external?: boolean;
  readonly skipRaw?: boolean;
}

/** Makes a snapshot of a machine. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const { output, signal } = context;
  const { snapshot: name, memory, quiesce, description, external, skipRaw } = args;
  const selection = select(context, { ids: [args.id] }, () => []);
  const options = { name, memory, quiesce, description, external, skipRaw, signal };
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    showProgress(output, target.longName, (onProgress) =>
      fleet.machine(target).snapshots.create({ ...options, onProgress }),
    ),
  );
  for (const outcome of outcomes) {
    if (!outcome.ok) continue;
    const { longName: machine } = outcome.target;
    const { whyNotQuiesced, skipped } = outcome.value;
    if (whyNotQuiesced !== undefined) {
      const message = `file systems were not frozen: ${whyNotQuiesced}`;
      output.notice({ level: quiesce === 'auto' ? 'info' : 'warning', machine, message });
    }
    if (skipped.length > 0)
      output.notice({ level: 'warning', machine, message: `not in the snapshot: ${skipped.join(', ')}` });
  }
  return present<CreatedSnapshot>(context, selection, outcomes, {
    text: (machine, made) => `${machine}: snapshot ${made.snapshot}: ${describe(made)}`,
    json: (made) => made,
  });
}

function describe({ disks, memory, quiesced, seconds }: CreatedSnapshot): string {
  const more = [...(memory ? ['memory'] : []), ...(quiesced ? ['file systems frozen'] : [])];
  const stood = memory ? `; the guest stood still for up to ${seconds.toFixed(1)} s` : '';
  return `${[disks.join(', '), ...more].join(', ')}${stood}`;
}
