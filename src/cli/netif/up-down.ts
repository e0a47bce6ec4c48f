import { tapDown, tapUp } from '../../network/taps/hook.ts';
import type { Context } from '../run/context.ts';

export async function up(context: Context, args: { readonly tap: string; readonly bridge?: string }): Promise<number> {
  tapUp(args.tap, process.env, args.bridge);
  return present(context, args.tap, true);
}

export async function down(context: Context, args: { readonly tap: string }): Promise<number> {
  tapDown(args.tap, process.env);
  return present(context, args.tap, false);
}

function present({ output }: Context, name: string, isUp: boolean): number {
  if (output.json) output.document([{ name, up: isUp }]);
  return 0;
}
