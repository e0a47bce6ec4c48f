import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeJson, parseJson } from '../../../src/qmp/json.ts';

test('what is encoded is read back the same, bigints beyond 2^53 included', () => {
  const big = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).filter((n) => BigInt(Number(n)) !== n);
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.integer(),
      big,
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value;
  fc.assert(fc.property(value, (wanted) => assert.deepEqual(parseJson(encodeJson(wanted)), wanted)));
});

test('the second pass over a text with a bigint changes nothing else', () => {
  const exact = (_key: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) ? 0.5 : value;
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify({ 'n"\\1234567890123456': value, list: [value, 'n1'] }, exact, indent);
      const read = parseJson(`[${text}, 9223372036854775807]`);
      assert.deepEqual(read, [JSON.parse(text), 9223372036854775807n]);
    }),
  );
});

for (const [text, value] of [
  ['9007199254740993', 9007199254740993n],
  ['-9223372036854775808', -(2 ** 63)],
  ['[18446744073709551615 , 1]', [18446744073709551615n, 1]],
  ['{"n9223372036854775807":"n9223372036854775807"}', { n9223372036854775807: 'n9223372036854775807' }],
  [
    '{"a":"x\\"9223372036854775807" ,"b" : 9223372036854775807}',
    { a: 'x"9223372036854775807', b: 9223372036854775807n },
  ],
  ['12345678901234567.5', Number('12345678901234567.5')],
  ['1234567890123456789e2', Number('1234567890123456789e2')],
  ['0.1234567890123456789', Number('0.1234567890123456789')],
] as const) {
  test(`parseJson reads ${text}`, () => {
    assert.deepEqual(parseJson(text), value);
  });
}

for (const text of ['1152921504606846976', '-9223372036854775808', '9007199254740992', '[100000000000000000000]']) {
  test(`${text} is sent with the digits that it was read with`, () => {
    assert.equal(encodeJson(parseJson(text)), text);
  });
}

test('a number past 2^53 is sent with all its digits', () => {
  assert.equal(encodeJson({ size: 2 ** 60 }), '{"size":1152921504606846976}');
});

test('parseJson throws a SyntaxError for what is no JSON', () => {
  for (const text of ['', '{', '{"a":12345678901234567890', '01', 'NaN'])
    assert.throws(() => parseJson(text), SyntaxError);
});
