import { QemuError } from '../../base/errors.ts';

/** A picture: three bytes, red, green and blue, for each point, line by line from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Buffer;
}

/** More than any screen has. */
const MOST_POINTS = 16_384;

/**
 * Reads a binary PPM as QEMU writes it, ppm(5): `P6`, width, height, 255, one white space, the points. QEMU's word is
 * not taken for anything: a guest may have captured it. Pure.
 *
 * @throws {QemuError} `QEMU_QMP_BAD_REPLY`
 */
export function parsePpm(data: Buffer): Picture {
  const head = data.toString('latin1', 0, 64);
  const [all = '', width, height] = /^P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s/.exec(head) ?? [];
  const picture = { width: Number(width), height: Number(height), rgb: data.subarray(all.length) };
  const isSane = [picture.width, picture.height].every((size) => size >= 1 && size <= MOST_POINTS);
  if (isSane && picture.rgb.length === 3 * picture.width * picture.height) return picture;
  throw new QemuError('QEMU_QMP_BAD_REPLY', 'QEMU did not write a whole picture of its screen');
}
