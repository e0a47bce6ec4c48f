import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../../src/qmp/json.ts';

test('an answer of a thousand levels is read, and one of more is not', () => {
  const nested = (levels: number): string => `${'['.repeat(levels)}${' '.repeat(2_000)}${']'.repeat(levels)}`;
  assert.ok(Array.isArray(parseJson(nested(1_000))));
  assert.throws(() => parseJson(nested(1_001)), SyntaxError);
  // Whatever is in a text does not count.
  assert.deepEqual(parseJson(`["${'['.repeat(5_000)}\\"${'{'.repeat(5_000)}"]`), [
    `${'['.repeat(5_000)}"${'{'.repeat(5_000)}`,
  ]);
});

test('megabytes of brackets are refused before anything is made of them', () => {
  const many = `[${'[],'.repeat(1_000_001)}1]`;
  const deep = '['.repeat(4_000_000) + ']'.repeat(4_000_000);
  const cut = `["${'x'.repeat(8_000_000)}`;
  for (const text of [many, deep, cut]) assert.throws(() => parseJson(text), SyntaxError);
});
