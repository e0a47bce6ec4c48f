import { sizeText } from '../../../output/sizes.ts';
import type { Context } from '../../../run/context.ts';
import { imageDocument, NO_IMAGES } from './rows.ts';

export async function run(context: Context): Promise<number> {
  const { output } = context;
  const images = await context.fleet().images.list();
  if (output.json) output.document(images.map((image) => imageDocument(image)));
  else if (images.length === 0) output.note('info', NO_IMAGES);
  else {
    const rows = images.map(({ name, format, sizeBytes, virtualSizeBytes, pulledAt, usedBy }) => [
      name,
      format,
      sizeText(sizeBytes),
      sizeText(virtualSizeBytes),
      pulledAt.slice(0, 10),
      usedBy.join(' '),
    ]);
    output.table([['NAME', 'FORMAT', 'SIZE', 'DISK', 'PULLED', 'USED BY'], ...rows]);
  }
  return 0;
}
