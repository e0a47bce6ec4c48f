import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoundedQueue } from '../../../src/qmp/bounded-queue.ts';

test('a bounded queue is a list that loses its oldest item when it is full', () => {
  const steps = fc.array(fc.constantFrom('push', 'shift', 'clear'));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), steps, (limit, actions) => {
      const queue = new BoundedQueue<number>(limit);
      let model: number[] = [];
      for (const [n, action] of actions.entries()) {
        if (action === 'push') {
          model.push(n);
          assert.equal(queue.push(n), model.length > limit);
          model = model.slice(-limit);
        } else if (action === 'shift') {
          assert.equal(queue.shift(), model.shift());
        } else {
          queue.clear();
          model = [];
        }
        assert.deepEqual([...queue], model);
        assert.equal(queue.size, model.length);
      }
    }),
  );
});
