import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { type TestContext, test } from 'node:test';
import { listenForAbort } from '../../../src/base/abort.ts';
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
