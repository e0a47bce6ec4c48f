import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { countDown, listenForAbort } from '../../../src/base/abort.ts';
import { connectBySocket } from '../qmp/support.ts';

test('the callback comes once, now or later, and not after letting go', async () => {
  const calls: string[] = [];
  const stop = new AbortController();
  listenForAbort(stop.signal, () => calls.push('before'));
  listenForAbort(stop.signal, () => calls.push('never'))();
  listenForAbort(undefined, () => calls.push('never'))();
  stop.abort();
  listenForAbort(stop.signal, () => calls.push('after'));
  listenForAbort(stop.signal, () => calls.push('never'))();
  assert.deepEqual(calls, ['before']);
  await Promise.resolve();
  assert.deepEqual(calls, ['before', 'after']);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
});

test('what is left of a time limit never grows, and is never nothing', async () => {
  const left = countDown(50);
  const first = left();
  assert.ok(first > 0 && first <= 50);
  await sleep(10);
  assert.ok(left() < first);
  assert.equal(countDown(0)(), 1);
  assert.equal(countDown(Number.POSITIVE_INFINITY)(), Number.POSITIVE_INFINITY);
});

test('one signal may guard hundreds of calls without a warning', async (t) => {
  const warnings = collectWarnings(t);
  const { client } = await connectBySocket(t);
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 200 }, () => client.execute('query-status', {}, { signal })));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});

function collectWarnings(t: TestContext): Error[] {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.removeListener('warning', onWarning));
  return warnings;
}
