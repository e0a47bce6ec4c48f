import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainCall } from '../../../src/cli/run/fast-path.ts';

const actions = { start: ['--all', '--json'], stop: [] };
const call = (...argv: string[]): unknown => plainCall(argv, actions);

test('an action with names and flags from its list needs no parser', () => {
  assert.deepEqual(call('start', 'web', 'db'), { action: 'start', args: { ids: ['web', 'db'] } });
  assert.deepEqual(call('start', '--json', '--all'), { action: 'start', args: { json: true, all: true, ids: [] } });
  assert.deepEqual(call('stop', '--root', '/x', 'web'), { action: 'stop', args: { root: '/x', ids: ['web'] } });
  assert.deepEqual(call('--root', '/x', 'start', 'web'), { action: 'start', args: { root: '/x', ids: ['web'] } });
  assert.deepEqual(call('start', 'web', '--root', '/x'), { action: 'start', args: { root: '/x', ids: ['web'] } });
});

test('everything else is left to the parser, mistakes above all', () => {
  for (const argv of [
    [],
    ['--help'],
    ['status', 'web'],
    ['toString', 'web'],
    ['__proto__'],
    ['stop', '--all'],
    ['start', '--jso'],
    ['start', '--json', '--json'],
    ['start', '--json=false'],
    ['start', '-j'],
    ['start', '--'],
    ['start', '--all', 'web'],
    ['start', '--root'],
    ['--root', '/x'],
    ['--root', '--json', 'start'],
    ['--root', '/x', 'start', '--root', '/y'],
    ['start', '--root', '--json'],
    ['start', '--root=/x'],
    ['start', '--root', '/x', '--root', '/y'],
    ['start', '--no-json'],
  ]) {
    assert.equal(call(...argv), undefined, argv.join(' '));
  }
});
