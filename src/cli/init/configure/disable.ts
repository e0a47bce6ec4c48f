import type { Context } from '../../run/context.ts';
import type { SelectionArguments } from '../../shared/selection.ts';
import { changeAutostart } from './enable.ts';

export function run(context: Context, args: SelectionArguments): Promise<number> {
  return changeAutostart(context, args, false);
}
