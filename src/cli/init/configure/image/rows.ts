import type { StoredImage } from '../../../../provision/images/image-store.ts';
import { describeError, errorDocument } from '../../../output/report.ts';
import type { Context } from '../../../run/context.ts';
import { exitCodeOf, worst } from '../../../run/exit-code.ts';

/** Said where there is none to list or verify. */
export const NO_IMAGES = 'no images; fetch one: qemu-init image pull URL';

/** An image as `--json` shows it. */
export function imageDocument(image: StoredImage, outcome?: string): object {
  const { name, path, url, sha256, isHashGiven, format, sizeBytes, virtualSizeBytes, pulledAt, usedBy } = image;
  return { name, outcome, path, url, sha256, isHashGiven, format, sizeBytes, virtualSizeBytes, pulledAt, usedBy };
}

/** Does something to each image, even if it fails for others. Returns the exit status. */
export async function eachImage(
  { output, signal }: Context,
  names: readonly string[],
  outcome: string,
  work: (name: string) => Promise<StoredImage>,
): Promise<number> {
  const rows: object[] = [];
  const codes: number[] = [];
  for (const name of names) {
    try {
      rows.push(imageDocument(await work(name), outcome));
      if (!output.json) output.line(`${name}: ${outcome}`);
    } catch (error) {
      rows.push({ name, error: errorDocument(error) });
      codes.push(exitCodeOf(error));
      output.note('error', `${name}: ${describeError(error, output.debug)}`);
      if (signal.aborted) break;
    }
  }
  if (output.json) output.document(rows);
  return worst(codes);
}
