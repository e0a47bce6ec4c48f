import { joinWords } from '../../../config/text/shell-words.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

interface Shown {
  readonly wrapper: readonly string[];
  readonly binary: string;
  readonly args: readonly string[];
  /** The same, in options with their values. */
  readonly options: readonly (readonly string[])[];
}

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.list());
  const outcomes = await fleet.each(selection.targets, 1, async (target): Promise<Shown> => {
    const { wrapper, binary, options } = await fleet.commandLine(target);
    const words = options.map((option) => option.args);
    return { wrapper, binary, args: words.flat(), options: words };
  });
  return present<Shown>(context, selection, outcomes, {
    // A pipe gets one line per machine, as always; on a terminal each option has a line, and can still be pasted.
    text: (_, { wrapper, binary, options }) =>
      [[...wrapper, binary], ...options].map(joinWords).join(process.stdout.isTTY ? ' \\\n  ' : ' '),
    json: ({ wrapper, binary, args: words }) => ({ wrapper, binary, args: words }),
  });
}
