import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastLines, oneLine } from '../../../src/base/text.ts';

test('the last lines of a text are whole ones, and one that has not ended', () => {
  assert.equal(lastLines('a\nb\nc\n', 1), 'c\n');
  assert.equal(lastLines('a\nb\nlogin: ', 2), 'b\nlogin: ');
  assert.equal(lastLines('a\n', 5), 'a\n');
  assert.deepEqual([lastLines('a\nb\n', 0), lastLines('', 3)], ['', '']);
});

test('a sentence of another program stays in its line, and has an end', () => {
  assert.equal(oneLine('no room\r\n  hint: run this\u2028web: stopped\n'), 'no room hint: run this web: stopped');
  assert.equal(oneLine('as it is,  blanks  and all'), 'as it is,  blanks  and all');
  assert.equal(oneLine('x'.repeat(2000)).length, 1001);
});
