import type { Context } from '../context.ts';
import type { SelectionArguments } from '../selection.ts';
import { changeAutostart } from './enable.ts';

export function run(context: Context, args: SelectionArguments): Promise<number> {
  return changeAutostart(context, args, false);
}
