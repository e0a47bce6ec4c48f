import type { OnProgress } from '../../base/progress.ts';
import type { Machine } from '../../machine/library/machine.ts';
import { showProgress } from '../output/progress.ts';
import type { Context } from '../run/context.ts';
import { type Presentation, present } from './many.ts';
import { select } from './selection.ts';

/** What long work is given, to be ended and to show how far it is. */
export interface WorkOptions {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Does long work on the one machine of a command, shows its progress and presents the result. Returns the exit status. */
export async function workOn<T>(
  context: Context,
  id: string,
  work: (machine: Machine, options: WorkOptions) => Promise<T>,
  presentation: Presentation<T>,
): Promise<number> {
  const { output, signal } = context;
  const fleet = context.fleet();
  const selection = select(context, { ids: [id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    showProgress(output, target.longName, (onProgress) => work(fleet.machine(target), { signal, onProgress })),
  );
  return present(context, selection, outcomes, presentation);
}
