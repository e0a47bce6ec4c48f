import { statSync } from 'node:fs';
import type { MachineConfig } from '../../config/types.ts';
import { imageUserPrefix } from '../../machine/disks/image-user.ts';
import { isCustomImage } from '../../machine/state/saved-facts.ts';
import type { SavedImage } from '../../machine/state/saved-record.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import type { MoveOffer } from './move-offer.ts';

const LOOK_MS = 30_000;

/** What of an offer both places have to have as the same files: `--copy-disks` copies DSKx, and nothing of `[custom]`. Pure. */
export function sharedImages({ images, copyDisks }: Pick<MoveOffer, 'images' | 'copyDisks'>): readonly SavedImage[] {
  return copyDisks ? images.filter(({ key }) => isCustomImage(key)) : images;
}

/** What to do about an image that is not the same file there. Pure. */
export function wayOut(key: string): string {
  return isCustomImage(key) ? 'no move copies it; give it a DSKx line' : 'move it along with --copy-disks';
}

/** What another host's view of the same file has in common with ours. */
type Layer = SavedImage['layers'][number];

/**
 * Which disks of a guest on another host are not the same files here, as far as that can be seen: two hosts may have files of
 * their own under one path, and with one inode number if one host was cloned from the other. A file that QEMU writes to is
 * locked, and that lock is seen wherever the file is the same one. Of a device nothing is known.
 *
 * @returns the keys of those disks, with the reason.
 */
export async function sharingProblems(
  config: MachineConfig,
  { images, there }: { readonly images: readonly SavedImage[]; readonly there: readonly SavedImage[] },
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { key, layers } of images) {
    const [top] = layers;
    if (top?.file === undefined) continue;
    const disk = config.disks.find(({ index }) => key === `DSK${index}`);
    // Of `[custom]` only those are known that the guest may write to.
    const isWritten = isCustomImage(key) || (disk !== undefined && !disk.readonly && !disk.snapshot);
    const here = there.find((image) => image.key === key)?.layers ?? [];
    const resting = isWritten ? layers.slice(1) : layers;
    const isUnchanged = resting.every((layer, at) => isUnchangedFile(layer, here[isWritten ? at + 1 : at]));
    if (isUnchanged && (!isWritten || (await isLocked(config, here[0]?.path ?? top.path, signal)))) continue;
    problems.push(`${key} "${top.path}" is another file there, or its storage does not share locks: ${wayOut(key)}`);
  }
  return problems;
}

function isUnchangedFile(one: Layer, other: Layer | undefined): boolean {
  if (one.file === undefined || other?.file === undefined) return true;
  return one.file.sizeBytes === other.file.sizeBytes && one.file.mtimeNs === other.file.mtimeNs;
}

/** Whether a QEMU writes to a file at the moment, on any host: then no other may open it to write. Nothing is written. */
async function isLocked(config: MachineConfig, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  const prefix = await imageUserPrefix(config, statSync(path, { throwIfNoEntry: false })?.uid);
  const node = { driver: 'raw', file: { driver: 'file', filename: path, locking: 'on' } };
  const args = ['-c', 'quit', `json:${JSON.stringify(node)}`];
  const { exitCode, stderr } = await runQemuImg(args, { program: 'qemu-io', prefix, timeoutMs: LOOK_MS, signal });
  return exitCode !== 0 && /\block\b/.test(stderr);
}
