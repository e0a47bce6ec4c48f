import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Progress, progressOf, RateMeter } from '../../../src/base/progress.ts';

test('progress is iterated to the newest step, and the result is returned', async () => {
  const steps = progressOf(async ({ onProgress }) => {
    onProgress({ phase: 'copying', done: 1, total: 3 });
    onProgress({ phase: 'copying', done: 2, total: 3 });
    await new Promise((resolve) => setImmediate(resolve));
    onProgress({ phase: 'copying', done: 3, total: 3 });
    return 'result';
  });
  const seen: Progress[] = [];
  let next = await steps.next();
  for (; next.done !== true; next = await steps.next()) seen.push(next.value);
  assert.deepEqual(
    seen.map(({ done }) => done),
    [2, 3],
  );
  assert.equal(next.value, 'result');
});

test('leaving the loop cancels the work and waits for its end', async () => {
  let isEnded = false;
  const steps = progressOf(async ({ signal, onProgress }) => {
    onProgress({ phase: 'copying', done: 1, total: 3 });
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    isEnded = true;
  });
  for await (const _ of steps) break;
  assert.equal(isEnded, true);
});

test('a failure of the work reaches the loop', async () => {
  const steps = progressOf(async () => {
    throw new Error('no space');
  });
  await assert.rejects(steps.next(), /no space/);
});

test('the signal of the caller reaches the work', async () => {
  const stop = new AbortController();
  const steps = progressOf(
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
    stop.signal,
  );
  const next = steps.next();
  stop.abort();
  await assert.rejects(next, /stopped/);
});

test('a rate is that of the last ten seconds, and of one piece of work', () => {
  const meter = new RateMeter();
  assert.equal(meter.measure(0, 0), undefined);
  assert.equal(meter.measure(1000, 1000), 1000);
  for (let second = 2; second <= 30; second++) meter.measure(1000 + 100 * (second - 1), second * 1000);
  assert.equal(Math.round(meter.measure(4000, 31_000) ?? 0), 100);
  assert.equal(meter.measure(0, 32_000), undefined);
  assert.equal(meter.measure(50, 33_000), 50);
});
