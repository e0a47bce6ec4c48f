import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { LineQueue } from '../../../src/system/process/line-queue.ts';

test('lines come one by one, however they were cut, and empty ones count as a sign of life only', async () => {
  const stream = new PassThrough();
  const lines = new LineQueue(stream);
  const first = lines.next();
  stream.write('a');
  stream.write('b\n\n \nc\nd');
  assert.equal(await first, 'ab');
  assert.ok(lines.silentMs < 60_000);
  assert.equal(await lines.next(), 'c');
  const last = lines.next();
  stream.end('e\n');
  assert.equal(await last, 'de');
  assert.equal(await lines.next(), undefined);
  assert.ok(lines.ended.aborted);
});

test('who sends without end what nobody takes is cut off', async () => {
  const stream = new PassThrough();
  const lines = new LineQueue(stream);
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  for (let at = 0; at < 40 && !stream.destroyed; at++) {
    stream.write(chunk);
    await new Promise(setImmediate);
  }
  assert.ok(stream.destroyed);
  assert.equal(await lines.next(), undefined);
});
