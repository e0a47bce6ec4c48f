import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePng } from '../../../src/domain/screen/png.ts';
import { parsePpm } from '../../../src/domain/screen/ppm.ts';
import { decodePng } from '../../support/png-picture.ts';

test('a picture of QEMU becomes a PNG with the same points', async () => {
  const rgb = Buffer.from(Array.from({ length: 3 * 5 * 4 }, (_, at) => (at * 37) % 256));
  const picture = parsePpm(Buffer.concat([Buffer.from('P6\n5 4\n255\n'), rgb]));
  assert.deepEqual([picture.width, picture.height], [5, 4]);
  const { width, height, rgb: points } = decodePng(await encodePng(picture));
  assert.deepEqual([width, height, points], [5, 4, rgb]);
});

test('what is not a whole picture is refused, whatever it says of itself', () => {
  const bad = [
    '',
    'P6\n1 1\n255\n',
    'P6\n1 1\n255\nabcd',
    'P5\n1 1\n255\nabc',
    'P6\n0 1\n255\n',
    'P6\n1 1\n65535\nabcdef',
  ];
  for (const text of [...bad, 'P6\n99999 99999\n255\nabc', `P6\n${'1'.repeat(100)} 1\n255\nabc`]) {
    assert.throws(() => parsePpm(Buffer.from(text)), { code: 'QEMU_QMP_BAD_REPLY' }, text);
  }
});
