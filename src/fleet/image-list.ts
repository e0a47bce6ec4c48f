import type { MachineConfig } from '../config/types.ts';
import { findImages } from '../machine/storage/images.ts';
import type { ImageLayer } from '../system/images/image-chain.ts';
import type { Paths } from '../system/paths.ts';

/** A file that QEMU opens for a disk, or what it would connect to. */
export interface ListedImage {
  /** `DSK1`. */
  readonly key: string;
  /** Absolute path, or a name such as `nbd://10.0.0.1/base`. */
  readonly file: string;
  readonly format: string;
  readonly role: ImageLayer['role'];
  /** How many images lie above: 0 for the disk itself. */
  readonly depth: number;
}

/** Everything that QEMU opens for the disks of a machine, disk by disk, from the disk itself down to its last base. */
export function listImages(paths: Paths, config: MachineConfig): ListedImage[] {
  return findImages(paths, config).disks.flatMap(({ disk, chain }) =>
    chain.layers.map(({ file, format, role, depth }) => ({ key: `DSK${disk.index}`, file, format, role, depth })),
  );
}
