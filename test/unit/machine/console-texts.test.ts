import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consoleTexts } from '../../../src/machine/observe/console-texts.ts';

function isFound(text: string, pattern: RegExp): boolean {
  const searching = new RegExp(pattern, 'gm');
  return consoleTexts(text).some((each) => {
    searching.lastIndex = each.from;
    return searching.test(each.text);
  });
}

const LONG = 'x'.repeat(100_000);

test('a text of lines is searched as it is', () => {
  assert.deepEqual(consoleTexts('a\nb\n'), [{ text: 'a\nb\n', from: 0 }]);
  assert.ok(isFound('a\nb\nc', /^a[\s\S]*c$/));
});

test('what is in a long line is found wherever it is, and what is around it too', () => {
  for (const at of [0, 1, 1023, 1024, 2047, 2048, 4095, 50_000, 99_990, 100_000]) {
    const text = `before\n${LONG.slice(0, at)}needle${LONG.slice(at)}\nafter\n`;
    for (const pattern of [/needle/, /before\n/, /^after$/, /before[\s\S]*after/])
      assert.ok(isFound(text, pattern), `${at}`);
  }
  assert.ok(isFound(`needle${LONG}`, /^needlex/));
  assert.ok(isFound(`${LONG}needle`, /xneedle$/));
});

test('neither end of a line is in the middle of a long one', () => {
  const text = `a${LONG}b`;
  for (const pattern of [/^x/, /x$/, /^b/, /a$/]) assert.equal(isFound(text, pattern), false, String(pattern));
  assert.ok(isFound(text, /^ax/));
  assert.ok(isFound(text, /xb$/));
});

test('no piece of a long line is longer than a long line', () => {
  for (const { text } of consoleTexts(`${LONG}\n${LONG}`))
    assert.ok(Math.max(...text.split('\n').map((line) => line.length)) <= 4096);
});
