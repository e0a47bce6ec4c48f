import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dependentsOf, withRequired } from '../../../src/fleet/schedule/requires.ts';
import { byBootOrder, runOrdered } from '../../../src/fleet/schedule/run-in-order.ts';
import type { MachineRef } from '../../../src/machine/context.ts';
import { machinePaths, resolvePaths } from '../../../src/system/paths.ts';

const paths = resolvePaths({ root: '/nowhere' }, {}, 0, '/');
const targets = new Map<string, MachineRef>();
const target = (longName: string): MachineRef => {
  const made = targets.get(longName) ?? {
    longName,
    shortName: undefined,
    configPath: `/nowhere/${longName}-qemu.cfg`,
    files: machinePaths(paths, longName),
  };
  targets.set(longName, made);
  return made;
};
const names = (list: readonly MachineRef[]): string[] => list.map(({ longName }) => longName);

function required(
  asked: readonly string[],
  requires: Readonly<Record<string, string>>,
): ReturnType<typeof withRequired> {
  return withRequired(asked.map(target), ({ longName }) =>
    (requires[longName] ?? '').split(' ').filter(Boolean).map(target),
  );
}

test('what is required comes first, through all levels, each once', () => {
  const { targets: all, of, errors } = required(['web', 'mail'], { web: 'db dns', mail: 'dns', db: 'disk' });
  assert.deepEqual(names(all), ['disk', 'db', 'dns', 'web', 'mail']);
  assert.deepEqual(names(of(target('web'))), ['db', 'dns']);
  assert.equal(errors.size, 0);
});

test('a circle is an error of one of its machines, that names all of them, and nothing hangs', () => {
  const { targets: all, errors } = required(['a'], { a: 'b', b: 'c', c: 'a' });
  assert.deepEqual(names(all).sort(), ['a', 'b', 'c']);
  assert.equal(errors.size, 1);
  assert.match(String([...errors.values()][0]), /a, b, c, a/);
  assert.equal(required(['x'], { x: 'x' }).errors.size, 1);
});

test('work is done in order: groups one after the other, what is required before, in parallel otherwise', async () => {
  const order: Readonly<Record<string, number>> = { late: 90, early: 10, needed: 99 };
  const done: string[] = [];
  const outcomes = await runOrdered<string>({
    groups: byBootOrder(['late', 'early', 'needed', 'other'].map(target), ({ longName }) => order[longName] ?? 50),
    before: ({ longName }) => (longName === 'early' ? [target('needed')] : []),
    parallel: 4,
    work: async ({ longName }) => {
      await new Promise(setImmediate);
      done.push(longName);
      return longName;
    },
    blocked: () => new Error('blocked'),
  });
  assert.deepEqual(done, ['needed', 'early', 'other', 'late']);
  assert.equal(outcomes.size, 4);
});

test('a machine whose requirement failed is not begun, unless the caller says that it does not matter', async () => {
  for (const isBlocked of [true, false]) {
    const begun: string[] = [];
    const outcomes = await runOrdered<void>({
      groups: [[target('web'), target('db')]],
      before: ({ longName }) => (longName === 'web' ? [target('db')] : []),
      parallel: 1,
      work: async ({ longName }) => {
        begun.push(longName);
        if (longName === 'db') throw new Error('no');
      },
      blocked: (_, by) => (isBlocked ? new Error(`needs ${by.longName}`) : undefined),
    });
    assert.deepEqual(begun, isBlocked ? ['db'] : ['db', 'web']);
    const web = outcomes.get(target('web'));
    assert.equal(web?.ok, !isBlocked);
    if (web?.ok === false) assert.match(String(web.error), /needs db/);
  }
});

test('what requires a machine is stopped before it, and machines in a circle are in no order', () => {
  const requires: Readonly<Record<string, string>> = { web: 'db elsewhere', app: 'db', db: 'disk', a: 'b', b: 'a' };
  const dependents = dependentsOf(['web', 'app', 'db', 'disk', 'a', 'b'].map(target), ({ longName }) =>
    (requires[longName] ?? '').split(' ').filter(Boolean),
  );
  assert.deepEqual(
    [...dependents].map(([name, list]) => [name, names(list)]),
    [
      ['db', ['web', 'app']],
      ['disk', ['db']],
    ],
  );
});
