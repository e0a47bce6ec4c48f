import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inPhases } from '../../../src/base/phases.ts';
import type { Progress } from '../../../src/base/progress.ts';

test('a phase that says nothing is reported again and again until the work is over', async () => {
  const seen: Progress[] = [];
  let enough = (): void => {};
  const reported = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const steps = [1, 2, 3];
  const result = await inPhases(
    (progress) => {
      seen.push(progress);
      if (seen.length >= 4) enough();
    },
    async (begin) => {
      begin('ending QEMU');
      begin('loading', () => ({ done: steps.shift() ?? 9, total: 9 }));
      await reported;
      return 'result';
    },
    1,
  );
  assert.equal(result, 'result');
  const count = seen.length;
  assert.deepEqual(seen.slice(0, 4), [
    { phase: 'ending QEMU', done: 0, total: 0 },
    { phase: 'loading', done: 1, total: 9 },
    { phase: 'loading', done: 2, total: 9 },
    { phase: 'loading', done: 3, total: 9 },
  ]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(seen.length, count);
});

test('work in phases fails with its own error, and needs nobody who listens', async () => {
  await assert.rejects(
    inPhases(undefined, async (begin) => {
      begin('reverting DSK1');
      throw new Error('no space');
    }),
    /no space/,
  );
});
