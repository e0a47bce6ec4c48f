import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, pageOf, sparkline } from '../../../../src/cli/init/look/top/frame.ts';
import { nextRows, rowDocument, type TopRow } from '../../../../src/cli/init/look/top/row.ts';
import { keysIn } from '../../../../src/cli/init/look/top/screen.ts';
import { FIRST_VIEW, press, type View, visibleRows } from '../../../../src/cli/init/look/top/view.ts';
import { diskOf, sampleOf } from '../../metrics/sample-of.ts';

const at = (atMs: number, busy: number): TopRow['sample'][] => [
  sampleOf('idle', { atMs }, { userSeconds: 1, systemSeconds: 1 }),
  sampleOf(
    'busy',
    { atMs },
    { userSeconds: busy, systemSeconds: 0, residentBytes: 2 ** 21, disks: [diskOf('dsk1', busy * 1000, 0)] },
  ),
  sampleOf('off', { atMs }),
];
const ROWS = nextRows(nextRows([], at(0, 1)), at(1000, 2));
const SIZE = { columns: 80, rows: 24 };
const ABOUT = { all: 3, host: 'h', time: '12:00:00' };

function keys(view: View, ...names: string[]): ReturnType<typeof press> {
  let result: ReturnType<typeof press> = { view };
  for (const name of names) result = press(result.view, name, visibleRows(ROWS, result.view), 5);
  return result;
}

test('rows are sorted by what they use, and by name among equals; a second press reverses', () => {
  const names = (view: View): string[] => visibleRows(ROWS, view).map(({ sample }) => sample.name);
  assert.deepEqual(names(FIRST_VIEW), ['busy', 'idle', 'off']);
  assert.deepEqual(names(keys(FIRST_VIEW, 'a').view), ['busy', 'idle', 'off']);
  assert.deepEqual(names(keys(FIRST_VIEW, 'a', 'a').view), ['off', 'idle', 'busy']);
  assert.deepEqual(names(keys(FIRST_VIEW, 'm').view), ['busy', 'idle', 'off']);
  assert.deepEqual(names(keys(FIRST_VIEW, '/', 'I', 'D', 'enter').view), ['idle']);
  assert.deepEqual(names(keys(FIRST_VIEW, '/', 'x', 'escape').view), ['busy', 'idle', 'off']);
  assert.deepEqual(names(keys(FIRST_VIEW, '/', 'i', 'x', 'backspace', 'enter').view), ['idle']);
});

test('a machine is only stopped after a yes', () => {
  assert.equal(keys(FIRST_VIEW, 'down', 'x').command, undefined);
  assert.match(keys(FIRST_VIEW, 'down', 'x').view.prompt ?? '', /Stop idle\?/);
  assert.deepEqual(keys(FIRST_VIEW, 'down', 'x', 'y').command, { kind: 'stop', name: 'idle' });
  assert.equal(keys(FIRST_VIEW, 'down', 'x', 'n').command, undefined);
  assert.equal(keys(FIRST_VIEW, 'down', 'x', 'q').command, undefined, 'an answer is no other command');
});

test('the cursor stays on the list, and keys are for the machine under it', () => {
  assert.equal(keys(FIRST_VIEW, 'up').view.selected, 'busy');
  assert.equal(keys(FIRST_VIEW, 'end').view.selected, 'off');
  assert.equal(keys(FIRST_VIEW, 'end', 'down', 'page-down').view.selected, 'off');
  assert.deepEqual(keys(FIRST_VIEW, 'enter').command, { kind: 'console', name: 'busy' });
  assert.deepEqual(keys(FIRST_VIEW, 'q').command, { kind: 'quit' });
  assert.equal(press(FIRST_VIEW, 'enter', [], 5).command, undefined);
});

test('a frame fills the screen exactly, with two hundred machines and with none, on any width', () => {
  const many = nextRows(
    [],
    Array.from({ length: 200 }, (_, index) => sampleOf(`machine-with-a-long-name-${index}`, {}, {})),
  );
  for (const columns of [20, 40, 80, 200]) {
    for (const rows of [4, 24, 60]) {
      for (const all of [many, []]) {
        const size = { columns, rows };
        const lines = frame(visibleRows(all, FIRST_VIEW), FIRST_VIEW, size, ABOUT);
        assert.equal(lines.length, Math.max(rows, 5), `${columns}x${rows}`);
      }
    }
  }
  const wide = frame(visibleRows(many, FIRST_VIEW), FIRST_VIEW, SIZE, ABOUT);
  assert.ok(
    wide.every(({ text }) => text.length <= 80),
    wide.map(({ text }) => text).join('\n'),
  );
});

test('the first line says how many machines a filter leaves', () => {
  const rows = nextRows([], [sampleOf('web'), sampleOf('db')]);
  const firstLine = (view: View): string | undefined =>
    frame(visibleRows(rows, view), view, { columns: 200, rows: 24 }, { ...ABOUT, all: 2 })[0]?.text;
  assert.match(firstLine(FIRST_VIEW) ?? '', / {2}2 machines, /);
  assert.match(firstLine({ ...FIRST_VIEW, filter: 'we' }) ?? '', / {2}1 of 2 machines, /);
});

test('the row under the cursor is on the screen, however far it goes', () => {
  const many = nextRows(
    [],
    Array.from({ length: 50 }, (_, index) => sampleOf(`m${String(index).padStart(2, '0')}`)),
  );
  let view: View = { ...FIRST_VIEW, sort: 'name' };
  for (const key of ['page-down', 'page-down', 'down', 'down', 'up', 'end', 'page-up', 'home']) {
    view = press(view, key, visibleRows(many, view), pageOf(SIZE)).view;
    const lines = frame(visibleRows(many, view), view, SIZE, ABOUT);
    assert.ok(
      lines.some(({ isSelected, text }) => isSelected && text.startsWith(view.selected ?? '?')),
      key,
    );
  }
});

test('rates are not known at the first look, and the history is of one run', () => {
  const [first] = nextRows([], at(0, 1));
  assert.equal(first?.rates, undefined);
  assert.equal(ROWS[1]?.rates?.cpuPercent, 100);
  assert.deepEqual(ROWS[1]?.cpuHistory, [100]);
  const again = nextRows(ROWS, [sampleOf('busy', { atMs: 2000 }, { pid: 7 })]);
  assert.deepEqual(again[0]?.cpuHistory, []);
  assert.equal((rowDocument(ROWS[1] ?? assert.fail()) as { cpuPercent: number }).cpuPercent, 100);
});

test('bars go from the lowest to the highest, and no further', () => {
  assert.equal(sparkline([0, 50, 100, 500, -1], 100), '▁▅██▁');
});

test('sequences of terminals are keys, and unknown ones are none', () => {
  assert.deepEqual(keysIn('\u001B[A\u001BOBq\r\u007Fü'), ['up', 'down', 'q', 'enter', 'backspace', 'ü']);
  assert.deepEqual(keysIn('\u001B[200~\u001B[1;5C\u0001'), []);
  assert.deepEqual(keysIn('\u001B'), ['escape']);
});
