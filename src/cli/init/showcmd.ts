import { joinWords } from '../../config/text/shell-words.ts';
import type { Context } from '../run/context.ts';
import { present } from '../shared/many.ts';
import { type SelectionArguments, select } from '../shared/selection.ts';

interface Shown {
  readonly wrapper: readonly string[];
  readonly binary: string;
  readonly args: readonly string[];
}

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.list());
  const outcomes = await fleet.each(selection.targets, 1, async (target): Promise<Shown> => {
    const { wrapper, binary, options } = await fleet.commandLine(target);
    return { wrapper, binary, args: options.flatMap((option) => option.args) };
  });
  return present<Shown>(context, selection, outcomes, {
    text: (_, { wrapper, binary, args: words }) => joinWords([...wrapper, binary, ...words]),
    json: ({ wrapper, binary, args: words }) => ({ wrapper, binary, args: words }),
  });
}
