import type { Context } from '../../run/context.ts';

export async function run(context: Context, args: { readonly id: string }): Promise<number> {
  const { output } = context;
  const target = await context.fleet().unregister(args.id);
  if (target === undefined) {
    output.note('info', `"${args.id}" is not registered: nothing to do`);
    if (output.json) output.document([{ name: args.id, shortName: null, configPath: null, outcome: 'unchanged' }]);
    return 0;
  }
  const { longName, shortName, configPath } = target;
  if (output.json) output.document([{ name: longName, shortName, configPath, outcome: 'unregistered' }]);
  else output.line(`${longName}: unregistered; "${configPath}" is kept`);
  return 0;
}
