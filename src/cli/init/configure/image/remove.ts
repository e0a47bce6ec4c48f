import type { Context } from '../../../run/context.ts';
import { eachImage } from './rows.ts';

export async function run(context: Context, { names }: { readonly names: readonly string[] }): Promise<number> {
  const { images } = context.fleet();
  return eachImage(context, names, 'removed', async (name) => images.remove(name));
}
