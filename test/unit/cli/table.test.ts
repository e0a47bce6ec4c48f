import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateStyle } from '../../../src/cli/output/state-style.ts';
import { fitTable, tableLines } from '../../../src/cli/output/table.ts';

const ROWS = [
  ['NAME', 'STATE', 'FILE', 'DESC'],
  ['web', 'running', '/etc/qemu/web-qemu.cfg', 'the shop, with all that belongs to it'],
  ['db', 'stopped', '/etc/qemu/db-qemu.cfg', ''],
];
const FITTING = { optional: ['FILE', 'DESC'], cut: 'DESC' };

function widest(rows: readonly (readonly string[])[]): number {
  return Math.max(...tableLines(rows).map((line) => line.length));
}

test('a file gets every column, whole', () => {
  assert.deepEqual(fitTable(ROWS, FITTING, undefined), ROWS);
});

test('a table is never wider than the terminal as long as its first columns are not', () => {
  for (const width of [16, 20, 30, 33, 40, 57, 60, 73, 80, 200]) {
    const rows = fitTable(ROWS, FITTING, width);
    assert.ok(widest(rows) <= width, `${width}:\n${tableLines(rows).join('\n')}`);
    assert.equal(rows[0]?.[0], 'NAME');
    assert.equal(rows[0]?.[1], 'STATE');
  }
});

test('the column that may be cut is cut before another is left out, and marked', () => {
  const rows = fitTable(ROWS, FITTING, 60);
  assert.deepEqual(rows[0], ['NAME', 'STATE', 'FILE', 'DESC']);
  assert.match(rows[1]?.[3] ?? '', /^the shop, .*…$/);
  assert.deepEqual(fitTable(ROWS, FITTING, 50)[0], ['NAME', 'STATE', 'DESC']);
});

test('names are never cut, however narrow the terminal is', () => {
  assert.deepEqual(
    fitTable(ROWS, FITTING, 5).map(([name]) => name),
    ['NAME', 'web', 'db'],
  );
});

test('columns stay below one another with characters of two columns, of none, and colours', () => {
  const rows = [
    ['NAME', 'DESC', 'X'],
    ['a', '店の機械', '1'],
    ['b', 'e\u0301te\u0301', '2'],
    ['c', 'ab', '3'],
  ];
  assert.deepEqual(tableLines(rows), [
    'NAME  DESC      X',
    'a     店の機械  1',
    'b     e\u0301te\u0301       2',
    'c     ab        3',
  ]);
  const painted = tableLines(rows, (cell, heading) => (heading === 'NAME' ? `<${cell}>` : cell));
  assert.equal(painted[3], '<c>     ab        3');
});

test('a state has the colour of how bad it is', () => {
  const colours = ['running', 'stopped', 'paused', 'dead', 'unresponsive', 'io-error', 'guest-panicked'].map((state) =>
    stateStyle(state, 'STATE'),
  );
  assert.deepEqual(colours, ['green', 'dim', 'yellow', 'red', 'red', 'red', 'red']);
  assert.equal(stateStyle('running', 'NAME'), undefined);
});
