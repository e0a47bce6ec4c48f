import { withConsole } from '../../../machine/control/console.ts';
import { attach } from '../../input/terminal.ts';
import type { Context } from '../../run/context.ts';
import { INTERRUPTED } from '../../run/exit-code.ts';

export async function run(context: Context, args: { readonly id: string }): Promise<number> {
  const { output, signal } = context;
  const fleet = context.fleet();
  const target = fleet.get(args.id);
  return withConsole(target, fleet.inspect(target).config, signal, async (stream) => {
    if (process.stdin.isTTY)
      output.note('info', `Console of ${target.longName}. Leave with Ctrl-]; press Enter if nothing appears.`);
    const why = await attach(stream, signal);
    if (process.stdin.isTTY)
      output.note('info', why === 'closed' ? '\nThe machine closed the connection.' : '\nLeft the console.');
    return why === 'aborted' ? INTERRUPTED : 0;
  });
}
