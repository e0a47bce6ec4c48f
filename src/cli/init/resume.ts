import { resume } from '../../machine/change/change-state.ts';
import type { Context } from '../run/context.ts';
import type { SelectionArguments } from '../shared/selection.ts';
import { changeState } from './monitor-actions.ts';

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  return changeState(context, args, resume);
}
