import type { Context } from '../../../run/context.ts';

interface Arguments {
  readonly id: string;
  readonly new: string;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, signal } = context;
  const fleet = context.fleet();
  const old = fleet.get(args.id);
  const { target, changed } = await fleet.rename(old, args.new, { signal });
  const { longName, shortName, configPath } = target;
  if (output.json) {
    output.document([{ name: longName, shortName, configPath, outcome: 'renamed', oldName: old.longName, changed }]);
  } else output.line(`${old.longName}: renamed to ${longName}; its file is "${configPath}"`);
  return 0;
}
