import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastPlaceOf } from '../../../src/system/files/find-bytes.ts';

test('lastPlaceOf() finds what Buffer finds, among all texts of two letters', () => {
  const texts = Array.from({ length: 9 }, (_, length) =>
    Array.from({ length: 2 ** length }, (_each, bits) => bits.toString(2).padStart(length, '0').slice(0, length)),
  ).flat();
  const short = texts.filter(({ length }) => length <= 4);
  for (const text of texts) {
    for (const word of short) assert.equal(lastPlaceOf(Buffer.from(word), Buffer.from(text)), text.lastIndexOf(word));
  }
});

test('lastPlaceOf() gets through bytes on which Buffer would need hours', { timeout: 60_000 }, () => {
  const half = Buffer.alloc(512 * 1024, 'a');
  const wanted = Buffer.concat([half, Buffer.from('b'), half]);
  assert.equal(lastPlaceOf(wanted, Buffer.alloc(8 * 1024 * 1024, 'a')), -1);
  assert.equal(lastPlaceOf(wanted, Buffer.concat([half, wanted, half])), half.length);
});
