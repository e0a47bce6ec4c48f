import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { diskChain } from '../../machine/storage/disk-chain.ts';
import type { ChainFile } from '../../system/images/chain-as-json.ts';
import { type ImageLayer, readChain } from '../../system/images/image-chain.ts';
import type { Paths } from '../../system/paths.ts';
import { canOthersChange } from '../../system/trust/changers.ts';
import { copyAside } from '../disks/source-image.ts';
import type { NewFiles } from '../new-files.ts';
import type { ClonedDisk } from './clone-plan.ts';

/** A file of a disk that nobody else can change while it is copied. */
export interface HeldFile extends ChainFile {
  /** It is a copy that is only needed until then. */
  readonly isAside: boolean;
}

/**
 * The files of a disk that is to be copied. The clone's user may not read them, so root does, and a header that somebody
 * changed after it was looked at could make root read any file: what others could change is first copied to where they
 * cannot. For a machine that does not run, and has a user of its own, there is nothing of the kind.
 *
 * @returns undefined when the disk can be used as it is.
 * @throws {QemuError} `QEMU_IO` when the disk is another one by now, or the files of other users cannot be copied one by
 * one; as {@link copyAside}.
 */
export async function holdSource(
  paths: Paths,
  longName: string,
  { disk, layers, path }: ClonedDisk,
  files: NewFiles,
  options: LongWorkOptions,
): Promise<readonly HeldFile[] | undefined> {
  const changeable = new Set(layers.filter((layer) => !layer.isRemote && canOthersChange(layer.file)));
  // What had a process until now may have changed them before that.
  const { layers: now, problems } = diskChain(paths, longName, disk);
  if (problems.length > 0 || now.map(nameOf).join() !== layers.map(nameOf).join()) throw changed(disk.file);
  if (changeable.size === 0) return undefined;
  const images = layers.filter(({ role }) => role === 'image' || role === 'backing');
  if (images.length < layers.length || images.some(({ isRemote }) => isRemote)) {
    throw new QemuError(
      'QEMU_IO',
      `Other users can change "${disk.file}" while it is copied, and it has its data elsewhere`,
      {
        hint: 'stop what runs as the owner of its files',
      },
    );
  }
  const held: HeldFile[] = [];
  for (const layer of images) {
    const isDevice = layer.stats?.isBlockDevice() === true;
    const isAside = changeable.has(layer);
    const file = isAside ? await layerAside(layer, files.scratch(path), options) : layer.file;
    held.push({ path: file, format: layer.format, isDevice, isAside });
  }
  return held;
}

function nameOf({ role, file, format }: ImageLayer): string {
  return JSON.stringify([role, file, format]);
}

async function layerAside(
  { file, format, detail }: ImageLayer,
  aside: string,
  { signal, onProgress }: LongWorkOptions,
): Promise<string> {
  await copyAside(file, aside, onProgress, signal);
  // The backing file that it names is not the one that is opened; all else would be.
  const [copy] = readChain(aside, { format, judge: () => ({ what: 'is not followed' }) }).layers;
  const isSame = copy !== undefined && copy.detail.virtualSizeBytes === detail.virtualSizeBytes;
  const { dataFile, extents = [], encryption, obstacle } = copy?.detail ?? {};
  const others = dataFile !== undefined || extents.length > 0 || encryption !== undefined || obstacle !== undefined;
  if (!isSame || others) throw changed(file);
  return aside;
}

function changed(file: string): QemuError {
  return new QemuError('QEMU_IO', `Image "${file}" has changed since it was looked at`, { hint: 'try again' });
}
