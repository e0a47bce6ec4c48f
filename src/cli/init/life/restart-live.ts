import type { RestartLiveResult } from '../../../machine/live/restart-result.ts';
import { showProgress } from '../../output/progress.ts';
import { sizeText } from '../../output/sizes.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

interface Arguments extends SelectionArguments {
  readonly check?: boolean;
  readonly rate?: number;
  readonly downtime?: number;
  readonly timeout?: number;
}

/** Has guests go on in new QEMUs: with --all those of all machines that run. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const { output, signal } = context;
  const selection = select(context, args, () => fleet.list().filter((target) => fleet.isAlive(target)));
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    showProgress(output, target.longName, (onProgress) =>
      fleet.restartLive(target, {
        check: args.check,
        rate: args.rate,
        downtimeMs: args.downtime,
        timeoutMs: args.timeout === undefined ? undefined : args.timeout * 1000,
        signal,
        onProgress,
      }),
    ),
  );
  return present<RestartLiveResult>(context, selection, outcomes, {
    text: describe,
    json: (result) => result,
    code: ({ outcome }) => (outcome === 'impossible' ? 1 : 0),
  });
}

function describe(name: string, result: RestartLiveResult): string {
  const { outcome, before, after, problems, downtimeMs, transferredBytes, seconds } = result;
  if (outcome === 'possible') return `${name}: can go on in QEMU ${after} (it is in ${before})`;
  if (outcome === 'impossible') {
    return [`${name}: cannot go on in another QEMU:`, ...problems.map((problem) => `  ${problem}`)].join('\n');
  }
  const pause = downtimeMs === undefined ? '' : `; its guest stood still for ${downtimeMs} ms`;
  return `${name}: goes on in QEMU ${after} (before: ${before}) after ${seconds} s, ${sizeText(transferredBytes ?? 0)} of memory${pause}`;
}
