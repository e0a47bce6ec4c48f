import { Domain } from '../../../domain/domain.ts';
import type { MachineRef } from '../../../machine/context.ts';
import { withControl } from '../../../machine/control/control-port.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { select } from '../../shared/selection.ts';

/** A job notices a cancellation between two pieces of work, which take long on a slow disk. */
const TIMEOUT_MS = 30_000;

/** What happened to the job. */
interface Cancelled {
  readonly job: string;
  readonly outcome: 'cancelled' | 'forgotten';
}

interface Arguments {
  readonly id: string;
  readonly job: string;
}

/** Ends a job inside a machine, or forgets one that has ended. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const { signal } = context;
  const limits = { timeoutMs: TIMEOUT_MS, signal };
  const selection = select(context, { ids: [args.id] }, () => []);
  const cancel = async (target: MachineRef): Promise<Cancelled> => {
    const { cancelInterrupted } = await import('../../../machine/work/resume-work.ts');
    // With what else the killed command has left.
    if (await cancelInterrupted(fleet.host, target, args.job, limits)) return { job: args.job, outcome: 'cancelled' };
    return withControl(fleet.host, target, limits, async (client): Promise<Cancelled> => {
      const job = await new Domain(client, target.longName).job(args.job, limits);
      if (job.isOver) await job.dismiss(limits);
      else await job.cancel(limits);
      return { job: job.id, outcome: job.isOver ? 'forgotten' : 'cancelled' };
    });
  };
  const outcomes = await fleet.each(selection.targets, 1, cancel, { leaveWork: true });
  return present<Cancelled>(context, selection, outcomes, {
    text: (name, { job, outcome }) => `${name}: ${job}: ${outcome}`,
    json: (cancelled) => cancelled,
  });
}
