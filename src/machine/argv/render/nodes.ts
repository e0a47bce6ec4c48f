import type { ImageNode } from '../description.ts';

/** Name of the node that has the content of an image, by the id of its drive: `dsk1-fmt`. */
export function formatNode(drive: string): string {
  return `${drive}-fmt`;
}

/** Name of the node below it, the file or block device itself: `dsk1-file`. */
export function fileNode(drive: string): string {
  return `${drive}-file`;
}

/** Property of an encrypted image that names the object with its key. */
export function keyProperty({ format }: ImageNode): 'encrypt.key-secret' | 'key-secret' {
  return format === 'luks' ? 'key-secret' : 'encrypt.key-secret';
}
