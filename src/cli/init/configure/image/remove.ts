import { ImageStore } from '../../../../provision/images/image-store.ts';
import type { Context } from '../../../run/context.ts';
import { eachImage } from './rows.ts';

export async function run(context: Context, { names }: { readonly names: readonly string[] }): Promise<number> {
  const store = new ImageStore(context.fleet());
  return eachImage(context, names, 'removed', async (name) => store.remove(name));
}
