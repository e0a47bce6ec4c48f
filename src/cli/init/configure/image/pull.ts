import { showProgress } from '../../../output/progress.ts';
import type { Context } from '../../../run/context.ts';
import { imageDocument } from './rows.ts';

interface Arguments {
  readonly url: string;
  readonly sha256?: string;
}

export async function run(context: Context, { url, sha256 }: Arguments): Promise<number> {
  const { output, signal } = context;
  const { images } = context.fleet();
  const { image, outcome } = await showProgress(output, url.replace(/^.*\//, ''), (onProgress) =>
    images.pull(url, { sha256, signal, onProgress }),
  );
  if (output.json) output.document([imageDocument(image, outcome)]);
  else {
    output.line(`${image.name}: ${outcome}`);
    // Only TLS says where it comes from, and nothing says that it is what its makers published.
    if (!image.isHashGiven)
      output.note('info', `its sha256 is ${image.sha256}; compare it with what its makers publish`);
  }
  return 0;
}
