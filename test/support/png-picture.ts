import assert from 'node:assert/strict';
import { crc32, inflateSync } from 'node:zlib';

/** Reads a PNG as `encodePng` makes it, with the checks of its sums: 8 bits for each colour, filter types 0 and 2. */
export function decodePng(data: Buffer): { readonly width: number; readonly height: number; readonly rgb: Buffer } {
  assert.equal(data.toString('latin1', 1, 4), 'PNG');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < data.length; ) {
    const length = data.readUInt32BE(at);
    const body = data.subarray(at + 4, at + 8 + length);
    assert.equal(data.readUInt32BE(at + 8 + length), crc32(body), 'the sum of a chunk');
    chunks.set(body.toString('latin1', 0, 4), body.subarray(4));
    at += 12 + length;
  }
  const header = chunks.get('IHDR') ?? Buffer.alloc(13);
  assert.deepEqual([...header.subarray(8)], [8, 2, 0, 0, 0]);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const lines = inflateSync(chunks.get('IDAT') ?? Buffer.alloc(0));
  const size = 3 * width;
  assert.equal(lines.length, (size + 1) * height);
  const rgb = Buffer.alloc(size * height);
  for (let line = 0; line < height; line += 1) {
    const filter = lines[line * (size + 1)];
    assert.ok(filter === 0 || filter === 2);
    for (let at = 0; at < size; at += 1) {
      const above = filter === 0 || line === 0 ? 0 : (rgb[(line - 1) * size + at] ?? 0);
      rgb[line * size + at] = (lines[line * (size + 1) + 1 + at] ?? 0) + above;
    }
  }
  return { width, height, rgb };
}
