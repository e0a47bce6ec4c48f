import type { MachineRef } from '../../../machine/context.ts';
import type { ResumeResult } from '../../../machine/work/resume-work.ts';
import { showProgress } from '../../output/progress.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { select } from '../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly job?: string;
}

/** Goes on with the work of a command that was killed. */
export async function run(context: Context, { id, job }: Arguments): Promise<number> {
  const fleet = context.fleet();
  const { output, signal } = context;
  const selection = select(context, { ids: [id] }, () => []);
  const resume = (target: MachineRef): Promise<ResumeResult> =>
    showProgress(output, target.longName, (onProgress) =>
      fleet.machine(target).disks.resume({ job, signal, onProgress }),
    );
  const outcomes = await fleet.each(selection.targets, 1, resume, { leaveWork: true });
  return present<ResumeResult>(context, selection, outcomes, {
    text: (name, { outcome, what }) => {
      if (outcome === 'nothing') return `${name}: no command was interrupted`;
      return outcome === 'resumed' ? `${name}: done: ${what}` : undefined;
    },
    json: ({ outcome, what }) => ({ outcome, what }),
  });
}
