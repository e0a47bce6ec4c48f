import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printJson } from '../../../src/cli/output/print-json.ts';

test('integers past 2^53 are printed digit by digit', () => {
  assert.equal(
    printJson({ a: 18446744073709551615n, b: [-9223372036854775808n] }, 0),
    '{"a":18446744073709551615,"b":[-9223372036854775808]}',
  );
});

test('integers past 2^53 that a number holds exactly are, too', () => {
  assert.equal(
    printJson([2 ** 60, -(2 ** 63), 2 ** 53], 0),
    '[1152921504606846976,-9223372036854775808,9007199254740992]',
  );
});

test('a member that is not there is null', () => {
  assert.equal(printJson({ a: undefined, b: null }, 0), '{"a":null,"b":null}');
  assert.equal(printJson(undefined), 'null');
});

test('all else is as JSON.stringify has it, whatever the strings hold', () => {
  const tricky = fc.constantFrom('\0bigint\x000\0bigint\0', '"\\u0000bigint"', '\0', '\\');
  const texts = fc.oneof(fc.string({ unit: 'binary' }), tricky);
  const values = fc.anything({
    withBigInt: false,
    key: texts,
    values: [texts, fc.integer(), fc.boolean(), fc.constant(null)],
  });
  fc.assert(
    fc.property(values, fc.constantFrom(0, 2), (value, space) => {
      assert.equal(printJson(value, space), JSON.stringify(value, null, space));
    }),
    { numRuns: 30 },
  );
});
