import { tidyUp } from '../../machine/ended.ts';
import type { Context } from '../context.ts';
import { type SelectionArguments, select } from '../selection.ts';

/** What a unit calls when its QEMU is gone, however it went. */
export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const { host } = context.fleet();
  const { targets } = select(context, args, () => []);
  for (const target of targets) await tidyUp(host, target, context.signal);
  return 0;
}
