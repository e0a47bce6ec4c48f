import { promisify } from 'node:util';
import { crc32, deflate } from 'node:zlib';
import type { Picture } from './ppm.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Colour type "truecolour". */
const RGB = 2;
/** Filter type "Up": the difference to the line above, which on a screen is most often nothing. */
const UP = 2;

/**
 * A picture as a PNG with 8 bits for each colour (W3C Portable Network Graphics, Third Edition). Pure.
 */
export async function encodePng({ width, height, rgb }: Picture): Promise<Buffer> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, RGB, 0, 0, 0], 8);
  const data = await promisify(deflate)(filtered(rgb, 3 * width, height));
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function filtered(rgb: Buffer, lineBytes: number, height: number): Buffer {
  const out = Buffer.alloc((lineBytes + 1) * height);
  for (let line = 0; line < height; line += 1) {
    const from = line * lineBytes;
    const to = line * (lineBytes + 1);
    out[to] = UP;
    for (let at = 0; at < lineBytes; at += 1) {
      const above = line === 0 ? 0 : (rgb[from - lineBytes + at] ?? 0);
      out[to + 1 + at] = (rgb[from + at] ?? 0) - above;
    }
  }
  return out;
}

function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, data.length + 8)), data.length + 8);
  return out;
}
