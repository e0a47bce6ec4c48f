import { Domain } from '../../../domain/domain.ts';
import type { Job } from '../../../domain/job.ts';
import { jobProgress } from '../../../domain/job-row.ts';
import { withControl } from '../../../machine/control/control-port.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const TIMEOUT_MS = 10_000;

const NONE = 'no jobs';

/** Lists the jobs inside machines. */
export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const fleet = context.fleet();
  const { signal } = context;
  const limits = { timeoutMs: TIMEOUT_MS, signal };
  // Without a name it is for all that run, as "status" is.
  const chosen = args.ids?.length ? args : { ...args, all: true };
  const selection = select(context, chosen, () => fleet.listWithRunning().filter((target) => fleet.isAlive(target)));
  const outcomes = await fleet.each(selection.targets, selection.targets.length, (target) =>
    withControl(fleet.host, target, limits, (client) => new Domain(client, target.longName).jobs(limits)),
  );
  if (selection.targets.length + selection.unknown.length === 0) context.output.note('info', 'no machine is running');
  return present<readonly Job[]>(context, selection, outcomes, {
    text: describe,
    same: (jobs) => (jobs.length === 0 ? NONE : undefined),
    json: document,
  });
}

function describe(name: string, jobs: readonly Job[]): string {
  if (jobs.length === 0) return `${name}: ${NONE}`;
  return jobs.map((job) => `${name}: ${job.id}: ${job.type}, ${jobProgress(job)}`).join('\n');
}

function document(jobs: readonly Job[]): object {
  const rows = jobs.map(({ id, type, status, done, total, error }) => ({ id, type, status, done, total, error }));
  return { jobs: rows };
}
