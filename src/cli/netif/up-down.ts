import { tapDown, tapUp } from '../../network/taps/hook.ts';
import type { Context } from '../run/context.ts';

export async function up(_context: Context, args: { readonly tap: string; readonly bridge?: string }): Promise<number> {
  tapUp(args.tap, process.env, args.bridge);
  return 0;
}

export async function down(_context: Context, args: { readonly tap: string }): Promise<number> {
  tapDown(args.tap, process.env);
  return 0;
}
