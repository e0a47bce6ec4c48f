import { QemuError } from '../../base/errors.ts';
import type { Outcome } from '../../fleet/schedule/outcome.ts';
import type { MachineRef } from '../../machine/context.ts';
import { describeError, errorDocument } from '../output/report.ts';
import type { Context } from '../run/context.ts';
import { exitCodeOf, worst } from '../run/exit-code.ts';
import { hostHint, NO_MACHINE, type Selection } from './selection.ts';

/** How the outcomes of a command on several machines are shown. */
export interface Presentation<T> {
  /** A line of text for a success; undefined: none. */
  readonly text: (name: string, value: T) => string | undefined;
  /** Text that successes without a change have in common: with --all they are only counted. */
  readonly same?: (value: T) => string | undefined;
  /** Members of the JSON object in addition to `name`. */
  readonly json: (value: T) => object;
  /** Members of the JSON object of a failure in addition to `name` and `error`, such as how long it took. */
  readonly failed?: (seconds: number, error: unknown) => object;
  /** What to say with --all when there is nothing to do (default, without any machine: how to create one). */
  readonly none?: string;
  /** Exit status of a success (default: 0). */
  readonly code?: (value: T) => number;
}

/** Shows the outcome for each machine. Returns the worst exit status. */
export function present<T>(
  context: Context,
  selection: Selection,
  results: readonly Outcome<T>[],
  presentation: Presentation<T>,
): number {
  const { output } = context;
  const outcomes = results.map((outcome) => (outcome.ok ? outcome : { ...outcome, error: forUser(context, outcome) }));
  const failures = [
    ...selection.unknown.map(({ id, error }) => ({ name: id, error })),
    ...outcomes.flatMap((outcome) => (outcome.ok ? [] : [{ name: outcome.target.longName, error: outcome.error }])),
  ];
  const successes = outcomes.flatMap((outcome) => (outcome.ok ? [outcome] : []));
  if (output.json) {
    output.document([
      ...outcomes.map((outcome) =>
        outcome.ok
          ? { name: outcome.target.longName, ...presentation.json(outcome.value) }
          : failureDocument(outcome.target.longName, outcome, presentation),
      ),
      ...selection.unknown.map(({ id, error }) => failureDocument(id, { error, seconds: 0 }, presentation)),
    ]);
  } else {
    const sums = selection.isAll === true ? sumsOf(successes, presentation) : new Map<string, number>();
    for (const { target, value } of successes) {
      const text = sums.has(presentation.same?.(value) ?? '') ? undefined : presentation.text(target.longName, value);
      if (text !== undefined) output.line(text);
    }
    for (const [text, count] of sums) output.line(`${count} machines: ${text}`);
    const nothing = selection.isAll === true && successes.length + failures.length === 0;
    if (nothing) sayNothingToDo(context, presentation.none);
  }
  for (const { name, error } of failures) output.note('error', `${name}: ${describeError(error, output.debug)}`);
  return worst([
    ...failures.map(({ error }) => exitCodeOf(error)),
    ...successes.map(({ value }) => presentation.code?.(value) ?? 0),
  ]);
}

/** The error of a user who has named a machine of the host by --system, without the right to do that. */
function forUser(
  { paths }: Context,
  { target, error }: { readonly target: MachineRef; readonly error: unknown },
): unknown {
  if (!(error instanceof QemuError) || error.code !== 'QEMU_NOT_PERMITTED') return error;
  if (paths.scope !== 'system' || process.getuid?.() === 0) return error;
  const { longName, shortName = longName } = target;
  return new QemuError(error.code, error.message, { cause: error.cause, hint: hostHint(shortName, longName) });
}

function sayNothingToDo({ fleet, output }: Context, none: string | undefined): void {
  const text = none ?? (fleet().listWithRunning().length === 0 ? NO_MACHINE : undefined);
  if (text !== undefined) output.note('info', text);
}

/** More lines that differ only in the name are summed up. */
const MOST_SAME = 3;

function sumsOf<T>(
  successes: readonly { readonly value: T }[],
  { same }: Presentation<T>,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { value } of successes) {
    const text = same?.(value);
    if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return new Map([...counts].filter(([, count]) => count > MOST_SAME));
}

function failureDocument<T>(
  name: string,
  { error, seconds }: { readonly error: unknown; readonly seconds: number },
  { failed }: Presentation<T>,
): object {
  return { name, ...failed?.(seconds, error), error: errorDocument(error) };
}
