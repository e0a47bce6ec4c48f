import { joinWords } from '../../config/shell-words.ts';
import type { Context } from '../context.ts';
import { present } from '../many.ts';
import { select, type SelectionArguments } from '../selection.ts';

interface CommandLine {
  readonly binary: string;
  readonly args: readonly string[];
}

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.list());
  const outcomes = await fleet.each(selection.targets, 1, async (target): Promise<CommandLine> => {
    const { binary, options } = await fleet.commandLine(target);
    return { binary, args: options.flatMap((option) => option.args) };
  });
  return present<CommandLine>(context, selection, outcomes, {
    text: (_, { binary, args: words }) => joinWords([binary, ...words]),
    json: ({ binary, args: words }) => ({ binary, args: words }),
  });
}
