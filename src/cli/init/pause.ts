import { pause } from '../../machine/change-state.ts';
import type { Context } from '../context.ts';
import type { SelectionArguments } from '../selection.ts';
import { changeState } from './monitor-action.ts';

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  return changeState(context, args, pause);
}
