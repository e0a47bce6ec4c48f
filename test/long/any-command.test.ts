import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIONS } from '../../src/cli/init/actions.ts';
import { type NextCall, settlesWith } from '../support/any-command.ts';

/** Actions that have nothing to do with machines. */
const OTHERS = ['install', 'uninstall', 'completion', 'qmp-types'];

/** A call of each action and verb. */
const CALLS: readonly (readonly string[])[] = [
  ['start', 'web'],
  ['stop', 'web'],
  ['stop', '--force', 'web'],
  ['save', 'web'],
  ['migrate', 'web', 'root:DIR/other'],
  ['restart', 'web'],
  ['try-restart', 'web'],
  ['reload', 'web'],
  ['force-reload', 'web'],
  ['kill', 'web'],
  ['reset', 'web'],
  ['pause', 'web'],
  ['resume', 'web'],
  ['wake', 'web'],
  ['exit-preconfig', 'web'],
  ['wait', 'web', '--for', 'running'],
  ['status', 'web'],
  ['list'],
  ['check', 'web'],
  ['showcmd', 'web'],
  ['explain', 'web'],
  ['diff', 'web'],
  ['log', 'web'],
  ['security', 'web'],
  ['top', '--once', 'web'],
  ['metrics', 'web'],
  ['events', 'web'],
  ['events'],
  ['snapshot', 'create', 'web'],
  ['snapshot', 'list', 'web'],
  ['snapshot', 'revert', 'web', 'none'],
  ['snapshot', 'delete', 'web', 'none'],
  ['disk', 'list', 'web'],
  ['disk', 'check', 'web'],
  ['disk', 'resize', 'web', 'DSK1', '+1M'],
  ['disk', 'convert', 'web', 'DSK1', 'raw'],
  ['disk', 'commit', 'web', 'DSK1'],
  ['disk', 'mirror', 'web', 'DSK1', 'DIR/three.qcow2'],
  ['jobs'],
  ['jobs', 'web'],
  ['jobs', 'resume', 'web'],
  ['jobs', 'cancel', 'web', 'none'],
  ['backup', 'create', 'web', 'DIR'],
  ['backup', 'list', 'DIR'],
  ['backup', 'verify', 'DIR'],
  ['backup', 'verify', 'DIR', 'other'],
  ['backup', 'delete', 'DIR', 'web@20260101-000000'],
  ['backup', 'serve', 'DIR', 'web'],
  ['restore', 'DIR', 'web'],
  ['restore', 'DIR', 'web', '--as', 'again'],
  ['attach', 'web', 'CDR2=empty'],
  ['detach', 'web', 'CDR1'],
  ['insert', 'web', 'CDR1', 'DIR/disc.iso'],
  ['eject', 'web', 'CDR1'],
  ['nic', 'link', 'web', 'NIC1', 'up'],
  ['balloon', 'web'],
  ['console', 'web'],
  ['vnc', 'web'],
  ['screenshot', 'web', 'DIR/screen.png'],
  ['sendkey', 'web', 'a'],
  ['type', 'web', 'a'],
  ['dump', 'web', 'DIR/dump'],
  ['agent', 'web', 'ping'],
  ['register', 'web'],
  ['unregister', 'web'],
  ['edit', 'web'],
  ['create', 'web'],
  ['clone', 'web', 'copy'],
  ['rename', 'web', 'other'],
  ['delete', 'web', '--dry-run'],
  ['delete', 'web'],
  ['import', 'none'],
  ['export', 'web'],
  ['image', 'list'],
  ['image', 'pull', 'https://127.0.0.1:9/none'],
  ['image', 'verify'],
  ['image', 'remove', 'none'],
  ['enable', 'web'],
  ['disable', 'web'],
  ['doctor'],
  ['web', '--listen', 'unix:DIR/web.sock'],
];

const OTHER_TOOLS: readonly NextCall[] = [
  { tool: 'qemu-mon', words: ['web'] },
  { tool: 'qemu-mon', words: ['web', '--qmp'] },
  { tool: 'qemu-mon', words: ['web', '--events'] },
  { tool: 'qemu-cmd', words: ['-q', 'query-status', 'web'] },
  { tool: 'qemu-cmd', words: ['-c', 'info status', 'web'] },
  { tool: 'qemu-init', words: ['top'], tty: true },
];

test('a guest that waits for a killed command goes on with the next one, whichever that is', async (t) => {
  const names = ACTIONS.flatMap(({ command, verbs = [], load }) => {
    const [name = ''] = command.split(' ');
    return [...(load ? [name] : []), ...verbs.map((verb) => `${name} ${verb.command.split(' ')[0]}`)];
  });
  const untried = names.filter((name) => !CALLS.some((words) => `${words.join(' ')} `.startsWith(`${name} `)));
  assert.deepEqual(untried, OTHERS);
  await settlesWith(t, [...CALLS.map((words) => ({ words })), ...OTHER_TOOLS]);
});
