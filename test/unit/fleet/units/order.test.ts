import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type OrderedMachine, orderMachines } from '../../../../src/fleet/schedule/unit-order.ts';

function machine(longName: string, bootOrder: number, requires: readonly string[] = []): OrderedMachine {
  return { longName, shortName: `s-${longName}`, bootOrder, requires };
}

test('a machine starts after all of a lower order, and machines of one order at the same time', () => {
  const order = orderMachines([machine('a', 10), machine('b', 20), machine('c', 20)]);
  assert.deepEqual(order.get('a')?.after, []);
  assert.deepEqual(order.get('b')?.after, ['a']);
  assert.deepEqual(order.get('c')?.after, ['a']);
});

test('REQUIRES names machines by short or long name, and wins over BOOTORDER', () => {
  const order = orderMachines([machine('db', 60), machine('mid', 55), machine('web', 50, ['s-db'])]);
  assert.deepEqual(order.get('web'), { requires: ['db'], after: ['db'] });
  assert.deepEqual(order.get('db')?.after, []);
  assert.deepEqual(order.get('mid')?.after, ['db', 'web']);
});

test('machines that require one another have no one to wait for', () => {
  const order = orderMachines([machine('a', 1, ['b']), machine('b', 2, ['a'])]);
  assert.deepEqual(order.get('a'), { requires: ['b'], after: [] });
  assert.deepEqual(order.get('b'), { requires: ['a'], after: [] });
});

test('an id that means nothing is kept, so that systemd says what is missing', () => {
  assert.deepEqual(orderMachines([machine('a', 1, ['gone'])]).get('a'), { requires: ['gone'], after: ['gone'] });
});

test('whatever machines require, nobody waits for himself over any number of others', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const fleet = fc.tuple(
    ...names.map((name) =>
      fc.record({
        longName: fc.constant(name),
        shortName: fc.constant(undefined),
        bootOrder: fc.integer({ min: 0, max: 3 }),
        requires: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }),
      }),
    ),
  );
  fc.assert(
    fc.property(fleet, (machines) => {
      const order = orderMachines(machines);
      for (const name of names) {
        const open = [...(order.get(name)?.after ?? [])];
        const seen = new Set<string>();
        for (let each = open.pop(); each !== undefined; each = open.pop()) {
          assert.notEqual(each, name);
          if (seen.has(each)) continue;
          seen.add(each);
          open.push(...(order.get(each)?.after ?? []));
        }
      }
    }),
  );
});
