import type { ImageFile } from './image-file.ts';

const BOCHS = 'Bochs Virtual HD Image\0';

/** How every compressed loop image of version 2 begins. */
const CLOOP = '#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n';

/** The trailer of an Apple disk image. */
const DMG_TRAILER = 'koly';
const DMG_TRAILER_BYTES = 512;

/** A growing image of Bochs. */
export function isBochs(head: Buffer): boolean {
  return head.toString('latin1', 0, BOCHS.length) === BOCHS;
}

/** A compressed loop image, as Knoppix has them. */
export function isCloop(head: Buffer): boolean {
  return head.toString('latin1', 0, CLOOP.length) === CLOOP;
}

/** An Apple disk image: its description is at the end. */
export function isDmg(_head: Buffer, file: ImageFile): boolean {
  return file.read(file.sizeBytes - DMG_TRAILER_BYTES, 4).toString('latin1') === DMG_TRAILER;
}
