import { showProgress } from '../../../output/progress.ts';
import type { Context } from '../../../run/context.ts';
import { eachImage, NO_IMAGES } from './rows.ts';

export async function run(context: Context, { names = [] }: { readonly names?: readonly string[] }): Promise<number> {
  const { output, signal } = context;
  const { images } = context.fleet();
  const chosen = names.length > 0 ? names : (await images.list()).map(({ name }) => name);
  if (chosen.length === 0 && !output.json) output.note('info', NO_IMAGES);
  return eachImage(context, chosen, 'verified', (name) =>
    showProgress(output, name, (onProgress) => images.verify(name, { signal, onProgress })),
  );
}
