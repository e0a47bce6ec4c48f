import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadlines } from '../../../src/qmp/deadlines.ts';

/** Waits until all but the removed have gone off. */
async function orderOf(add: (deadlines: Deadlines, note: (name: string) => () => void) => void, count: number) {
  const deadlines = new Deadlines();
  const gone: string[] = [];
  add(deadlines, (name) => () => void gone.push(name));
  const end = performance.now() + 10_000;
  while (gone.length < count && performance.now() < end) await sleep(5);
  deadlines.close();
  return gone;
}

test('deadlines go off in their order, whatever the order in which they were made', async () => {
  const order = await orderOf((deadlines, note) => {
    deadlines.add(60_000, note('never'));
    deadlines.add(60, note('third'));
    deadlines.add(20, note('first'));
    deadlines.add(40, note('second'));
    deadlines.add(Infinity, note('never'));
    // All are late.
    const late = performance.now() + 80;
    while (performance.now() < late);
  }, 3);
  deepEqual(order, ['first', 'second', 'third']);
});

test('a deadline that is removed does not go off, and one that is made after that does', async () => {
  const order = await orderOf((deadlines, note) => {
    const removed = deadlines.add(10, note('removed'));
    deadlines.remove(removed);
    deadlines.remove(removed);
    deadlines.remove(undefined);
    deadlines.add(20, note('first'));
    deadlines.add(40, () => {
      note('second')();
      deadlines.add(0, note('third'));
    });
  }, 3);
  deepEqual(order, ['first', 'second', 'third']);
});

test('nothing goes off after the end', async () => {
  const order = await orderOf((deadlines, note) => {
    deadlines.add(10, note('closed'));
    deadlines.close();
    setTimeout(note('later'), 30);
  }, 1);
  deepEqual(order, ['later']);
});
