import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { renderSize } from '../../config/text/values.ts';
import type { User } from '../../system/users.ts';
import type { NewFiles } from '../new-files.ts';
import { makeDisk } from './make-disk.ts';
import { copyAside, distrustOf, examineImage, type SourceImage } from './source-image.ts';

/** A disk that a new machine is going to have. */
export interface PlannedDisk {
  /** `DSK1` */
  readonly key: string;
  /** Name in the folder of the machine's file. */
  readonly file: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly source?: SourceImage | undefined;
  /** Absolute path of the image that it is an overlay of. */
  readonly base?: string | undefined;
}

/** What disks are wanted. */
export interface DiskRequest {
  readonly dir: string;
  /** Long name of the machine. */
  readonly name: string;
  /** Number of the first new disk. */
  readonly firstIndex: number;
  readonly sizes: readonly number[];
  /** Absolute path of what the first one begins with. */
  readonly image: string | undefined;
  readonly isLinked: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Works out the new disks of a machine. Their image is examined; nothing is made.
 *
 * @throws {QemuError} `QEMU_IO` for an image that cannot be used, `QEMU_USAGE`, `QEMU_NOT_PERMITTED` for the base of an
 * overlay that others may change.
 */
export async function planDisks(request: DiskRequest): Promise<PlannedDisk[]> {
  const { dir, name, firstIndex, sizes, image, isLinked, signal } = request;
  if (image === undefined && isLinked) {
    throw new QemuError('QEMU_USAGE', '--linked needs an image', { hint: 'name it: --image FILE' });
  }
  const source = image === undefined ? undefined : await examineImage(image, { signal });
  const count = Math.max(sizes.length, source ? 1 : 0);
  return Array.from({ length: count }, (_, at): PlannedDisk => {
    const file = at === 0 ? `${name}.qcow2` : `${name}-${at + 1}.qcow2`;
    const common = { key: `DSK${firstIndex + at}`, file, path: join(dir, file) };
    if (at > 0 || source === undefined) return { ...common, sizeBytes: sizes[at] ?? 0 };
    const sizeBytes = sizeFor(source, sizes[0]);
    return isLinked ? { ...common, sizeBytes, ...linkedTo(source) } : { ...common, sizeBytes, source };
  });
}

function sizeFor({ path, virtualSizeBytes }: SourceImage, wanted: number | undefined): number {
  if (wanted === undefined || wanted >= virtualSizeBytes) return wanted ?? virtualSizeBytes;
  throw new QemuError('QEMU_USAGE', `A disk of ${renderSize(wanted)} is too small for "${path}"`, {
    hint: `it needs at least ${renderSize(virtualSizeBytes)}`,
  });
}

/** Whoever could change the base could change what the guest runs, at any time. */
function linkedTo(source: SourceImage): { source: SourceImage; base: string } {
  const base = realpathSync(source.path);
  const distrust = distrustOf(base);
  if (distrust === undefined) return { source: { ...source, path: base }, base };
  throw new QemuError('QEMU_NOT_PERMITTED', distrust.message, { hint: 'leave out --linked to use a copy of it' });
}

/**
 * Makes one of the disks. An image that others may change is first copied to where they cannot, and looked at there.
 *
 * @throws {QemuError} as {@link makeDisk} and {@link examineImage} do.
 */
export async function fillDisk(
  files: NewFiles,
  { key, path, sizeBytes, source, base }: PlannedDisk,
  { user, signal, onProgress }: LongWorkOptions & { readonly user: User | undefined },
): Promise<void> {
  const part = files.file(path, user);
  const options = { user, signal, onProgress, phase: `copying ${key}` };
  const isLinked = base !== undefined;
  if (source === undefined || isLinked || distrustOf(source.path) === undefined) {
    return makeDisk(part, path, { sizeBytes, source, isLinked }, options);
  }
  const aside = files.scratch(path, user);
  await copyAside(source.path, aside, onProgress, signal);
  const copy = await examineImage(aside, { signal, shownAs: source.path });
  if (copy.format !== source.format || copy.virtualSizeBytes > sizeBytes) {
    throw new QemuError('QEMU_IO', `Image "${source.path}" has changed while it was read`);
  }
  await makeDisk(part, path, { sizeBytes, source: copy }, options);
  files.dropScratch(aside);
}
