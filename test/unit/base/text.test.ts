import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastLines } from '../../../src/base/text.ts';

test('the last lines of a text are whole ones, and one that has not ended', () => {
  assert.equal(lastLines('a\nb\nc\n', 1), 'c\n');
  assert.equal(lastLines('a\nb\nlogin: ', 2), 'b\nlogin: ');
  assert.equal(lastLines('a\n', 5), 'a\n');
  assert.deepEqual([lastLines('a\nb\n', 0), lastLines('', 3)], ['', '']);
});
