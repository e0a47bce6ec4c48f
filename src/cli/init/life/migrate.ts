import type { MigrateResult } from '../../../machine/move/migrate-result.ts';
import { showProgress } from '../../output/progress.ts';
import { sizeText } from '../../output/sizes.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { select } from '../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly dest: string;
  readonly check?: boolean;
  readonly copyDisks?: boolean;
  readonly rate?: number;
  readonly downtime?: number;
  readonly timeout?: number;
  readonly keepConfig?: boolean;
}

/** Moves a running machine to another place. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const { output, signal } = context;
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    showProgress(output, target.longName, (onProgress) =>
      fleet.migrate(target, args.dest, {
        check: args.check,
        copyDisks: args.copyDisks,
        rate: args.rate,
        downtimeMs: args.downtime,
        timeoutMs: args.timeout === undefined ? undefined : args.timeout * 1000,
        keepConfig: args.keepConfig,
        signal,
        onProgress,
      }),
    ),
  );
  return present<MigrateResult>(context, selection, outcomes, {
    text: describe,
    json: (result) => result,
    code: ({ outcome }) => (outcome === 'impossible' ? 1 : 0),
  });
}

function describe(name: string, result: MigrateResult): string {
  const { outcome, destination, problems, downtimeMs, transferredBytes, seconds } = result;
  if (outcome === 'possible') return `${name}: can move to ${destination}`;
  if (outcome === 'impossible') {
    return [`${name}: cannot move to ${destination}:`, ...problems.map((problem) => `  ${problem}`)].join('\n');
  }
  const pause = downtimeMs === undefined ? '' : `; its guest stood still for ${downtimeMs} ms`;
  return `${name}: moved to ${destination} in ${seconds} s, ${sizeText(transferredBytes ?? 0)} of memory${pause}`;
}
