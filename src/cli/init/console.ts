import { withConsole } from '../../machine/console.ts';
import type { Context } from '../context.ts';
import { INTERRUPTED } from '../exit-code.ts';
import { attach } from '../terminal.ts';

export async function run(context: Context, args: { readonly id: string }): Promise<number> {
  const { output, signal } = context;
  const fleet = context.fleet();
  const target = fleet.get(args.id);
  return withConsole(target, fleet.inspect(target).config, signal, async (stream) => {
    if (process.stdin.isTTY) output.note('info', `Console of ${target.longName}. Leave with Ctrl-].`);
    const why = await attach(stream, signal);
    if (process.stdin.isTTY) output.note('info', why === 'closed' ? '\nThe machine hung up.' : '\nLeft the console.');
    return why === 'aborted' ? INTERRUPTED : 0;
  });
}
