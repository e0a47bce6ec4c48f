import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOG_LIMIT_BYTES } from '../../../src/system/files/log/log-file.ts';
import { markLog, readSince } from '../../../src/system/files/log/log-mark.ts';
import { trimLog } from '../../../src/system/files/log/trim-log.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

const MOST = 2 * LOG_LIMIT_BYTES;

function logWith(t: Cleanup, text: string): { path: string; since: () => string; mark: () => void } {
  const path = join(tempDir(t), 'log');
  writeFileSync(path, text);
  let mark = markLog(path);
  return {
    path,
    since: () => readSince(path, mark, MOST).toString(),
    mark: () => {
      mark = markLog(path);
    },
  };
}

test('what a log gets after a mark is read, and nothing before it', (t) => {
  const log = logWith(t, 'old');
  assert.equal(log.since(), '');
  appendFileSync(log.path, 'new');
  assert.equal(log.since(), 'new');
});

test('a log that is shortened keeps what came after the mark, however much it grows again', (t) => {
  // Of the bytes before the mark all, some or none are in the copy.
  for (const kept of [300, 100, 0]) {
    const log = logWith(t, 'old '.repeat(200));
    appendFileSync(log.path, `new ${'.'.repeat(LOG_LIMIT_BYTES - kept - 8)} end`);
    trimLog(log.path);
    assert.match(log.since(), /^new \.+ end$/);
    appendFileSync(log.path, `and ${'more '.repeat(300)}`);
    assert.match(log.since(), /^new \.+ endand (more )+$/);
  }
});

test('what an earlier run left is never taken for new: not in a log that is gone or was replaced, not in the one before it', (t) => {
  const log = logWith(t, `${'.'.repeat(LOG_LIMIT_BYTES)} old`);
  trimLog(log.path);
  appendFileSync(log.path, 'old');
  log.mark();
  rmSync(log.path);
  assert.equal(log.since(), '');
  writeFileSync(log.path, 'n');
  assert.equal(log.since(), 'n');
});

test('a mark that is too old for what is kept leaves all of it', (t) => {
  const log = logWith(t, 'old');
  for (let turn = 0; turn < 2; turn++) {
    appendFileSync(log.path, 'new '.repeat(LOG_LIMIT_BYTES / 3));
    trimLog(log.path);
  }
  const text = log.since();
  assert.equal(text.length, LOG_LIMIT_BYTES);
  assert.doesNotMatch(text, /old/);
});
