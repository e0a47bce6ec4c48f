import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RfbError, RfbFilter } from '../../../src/web/rfb-filter.ts';

const VERSION = Buffer.from('RFB 003.008\n');
const HELLO = Buffer.concat([VERSION, Buffer.from([1]), Buffer.from([1])]);

const bytes = (type: number, length: number): Buffer =>
  Buffer.from([type, ...Array.from({ length: length - 1 }, () => 7)]);
const ENCODINGS = Buffer.from([2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
const CUT = Buffer.from([6, 0, 0, 0, 0, 0, 0, 3, 97, 98, 99]);
const EXTENDED_CUT = Buffer.from([6, 0, 0, 0, 255, 255, 255, 254, 1, 2]);
const RESIZE = Buffer.concat([Buffer.from([251, 0, 0, 1, 0, 1, 1, 0]), Buffer.alloc(16)]);
const QEMU_KEY = Buffer.concat([Buffer.from([255, 0]), Buffer.alloc(10)]);

/** Messages that look, and those that act. */
const LOOKING = [bytes(0, 20), bytes(3, 10), ENCODINGS, bytes(150, 10)];
const ACTING = [bytes(4, 8), bytes(5, 6), CUT, EXTENDED_CUT, RESIZE, QEMU_KEY];

test('keys, pointer, clipboard and sizes never go through, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...LOOKING, ...ACTING), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 200 }),
      (messages, cuts) => {
        const all = Buffer.concat([HELLO, ...messages]);
        const filter = new RfbFilter();
        const passed: Buffer[] = [];
        let at = 0;
        for (let index = 0; at < all.length; index += 1) {
          const end = at + (cuts[index % cuts.length] ?? 1);
          passed.push(filter.pass(all.subarray(at, end)));
          at = end;
        }
        const wanted = Buffer.concat([HELLO, ...messages.filter((message) => LOOKING.includes(message))]);
        assert.deepEqual(Buffer.concat(passed), wanted);
      },
    ),
  );
});

test('a password goes through', () => {
  const hello = Buffer.concat([VERSION, Buffer.from([2]), Buffer.alloc(16, 9), Buffer.from([1])]);
  assert.deepEqual(new RfbFilter().pass(hello), hello);
});

test('what cannot be followed ends the connection', () => {
  for (const odd of [
    Buffer.from('RFB 003.003\n'),
    Buffer.concat([VERSION, Buffer.from([19])]),
    Buffer.concat([HELLO, Buffer.from([99])]),
    Buffer.concat([HELLO, Buffer.from([255, 9, 0, 0])]),
    Buffer.concat([HELLO, Buffer.from([6, 0, 0, 0, 127, 255, 255, 255]), Buffer.alloc(1024 * 1024)]),
  ]) {
    assert.throws(() => new RfbFilter().pass(odd), RfbError, odd.subarray(0, 20).toString('hex'));
  }
});
