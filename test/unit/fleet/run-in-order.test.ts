import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byBootOrder, limiter } from '../../../src/fleet/schedule/run-in-order.ts';

test('machines are grouped by boot order, lowest first, and stay as they came within a group', () => {
  const order: Readonly<Record<string, number>> = { a: 50, b: 10, c: 50, d: -1, e: 10 };
  assert.deepEqual(
    byBootOrder(Object.keys(order), (name) => order[name] ?? 0),
    [['d'], ['b', 'e'], ['a', 'c']],
  );
  assert.deepEqual(
    byBootOrder([], () => 0),
    [],
  );
});

test('never more than the limit run at once, all run, in the order given', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      async (limit, fails) => {
        const limited = limiter(limit);
        const begun: number[] = [];
        let now = 0;
        let most = 0;
        const results = await Promise.allSettled(
          fails.map((fail, index) =>
            limited(async () => {
              begun.push(index);
              most = Math.max(most, ++now);
              await new Promise(setImmediate);
              now--;
              if (fail) throw new Error('failed');
              return index;
            }),
          ),
        );
        assert.ok(most <= Math.max(1, limit));
        assert.deepEqual(begun, [...fails.keys()]);
        assert.deepEqual(
          results.map(({ status }) => status === 'rejected'),
          fails,
        );
      },
    ),
    { numRuns: 50 },
  );
});
