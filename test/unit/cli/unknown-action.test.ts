import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIONS } from '../../../src/cli/init/actions.ts';
import { unknownAction } from '../../../src/cli/init/unknown-action.ts';

const NAMES = ACTIONS.map(({ command }) => command.split(' ')[0] ?? '');

function hint(...argv: string[]): string | undefined {
  return unknownAction(argv, NAMES)?.hint;
}

for (const [typed, meant] of [
  ['stauts', 'status'],
  ['strat', 'start'],
  ['shutdown', 'stop'],
  ['destroy', 'kill'],
  ['stat', 'status'],
  ['unpause', 'resume'],
  ['rm', 'delete'],
  ['LS', 'list'],
  ['exec', 'qemu-cmd'],
  // It leaves the disks alone.
  ['undefine', 'unregister'],
] as const) {
  test(`"${typed}" is taken for "${meant}"`, () => {
    assert.match(hint(typed, 'web') ?? '', new RegExp(`^did you mean "${meant}"\\?`));
  });
}

for (const [typed, opposite] of [
  ['stat', 'start'],
  ['unpause', 'pause'],
  ['unstart', 'start'],
  ['unenable', 'enable'],
  ['nstop', 'stop'],
] as const) {
  test(`"${typed}" is never taken for "${opposite}"`, () => {
    assert.doesNotMatch(hint(typed) ?? '', new RegExp(`"${opposite}"`));
  });
}

test('words of other tools stand for actions that there are', () => {
  for (const typed of ['add', 'copy', 'domstate', 'halt', 'monitor', 'ps', 'rm', 'setmem', 'vncdisplay']) {
    const found = /did you mean "([^"]+)"/.exec(hint(typed) ?? '')?.[1] ?? '';
    assert.ok(NAMES.includes(found) || ['qemu-cmd', 'qemu-mon'].includes(found), typed);
  }
});

test('an action behind its machine is told to come first', () => {
  assert.equal(hint('vm1', 'start'), 'the action comes first: qemu-init start vm1');
  assert.equal(hint('--json', 'vm1', 'db', 'stop'), 'the action comes first: qemu-init stop vm1 db');
});

test('options and their values before an action are no words', () => {
  for (const argv of [
    ['--json', 'start', 'web'],
    ['--root', '/x', 'status'],
    ['--timeout', '5', 'stop', 'web'],
    ['--timeout=5', 'stop'],
  ]) {
    assert.equal(unknownAction(argv, NAMES), undefined, argv.join(' '));
  }
});
