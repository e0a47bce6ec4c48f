import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostileAgent } from '../support/hostile-agent.ts';
import { lab } from '../support/lab.ts';

test('an agent that is silent after it has greeted costs 3 s and is exit status 7, whatever is asked of it', async (t) => {
  const root = lab(t);
  root.add('bad', 'QGA=on\n');
  const file = root.write('small', 'text');
  await root.ok('start', 'bad');
  await hostileAgent(t, root, 'bad', () => {});
  const commands = [
    ['ping'],
    ['info'],
    ['addresses'],
    ['users'],
    ['fs'],
    ['time'],
    ['get', '/etc/hosts', join(root.dir, 'hosts')],
    ['put', file, '/tmp/small'],
    ['exec', '--', 'ls'],
  ];
  for (const [command = '', ...words] of commands) {
    const { code, stderr } = await root.init('agent', 'bad', command, ...words);
    assert.equal(code, 7, `${command}: ${stderr}`);
    const [, limit] = /^bad: No guest agent answers in machine "bad"\n.* within (\d+) ms$/m.exec(stderr) ?? [];
    assert.ok(Number(limit) <= 3000, `${command}: ${stderr}`);
  }
  await root.ok('kill', 'bad');
});

test('an agent that falls silent within a file is asked once more, to close it', async (t) => {
  const root = lab(t);
  root.add('bad', 'QGA=on\n');
  await root.ok('start', 'bad');
  const asked: string[] = [];
  await hostileAgent(t, root, 'bad', (socket, id, command) => {
    asked.push(command);
    if (command === 'guest-file-open') socket.write(`{"return":7,"id":${id}}\n`);
  });
  assert.equal((await root.init('agent', 'bad', 'get', '/etc/hosts')).code, 7);
  assert.deepEqual(asked, ['guest-file-open', 'guest-file-read', 'guest-file-close']);
  await root.ok('kill', 'bad');
});

test('a thaw that was left undone is tried once by a command, however often that meets the machine', async (t) => {
  const root = lab(t);
  root.add('bad', 'QGA=on\n');
  await root.ok('start', 'bad');
  const asked: string[] = [];
  await hostileAgent(t, root, 'bad', (_, __, command) => void asked.push(command));
  root.write('run/qemu-init/bad/frozen-since', 'damaged');
  const looked = await root.init('status', 'bad');
  assert.match(looked.stderr, /^bad: warning: its file systems may still be frozen/m);
  assert.deepEqual(asked.splice(0), ['guest-fsfreeze-thaw']);
  const reloaded = await root.init('reload', 'bad');
  assert.match(reloaded.stderr, /^bad: warning: its file systems may still be frozen/m);
  assert.deepEqual(asked, ['guest-fsfreeze-thaw']);
  await root.ok('kill', 'bad');
});

test('a thaw that was left undone costs nothing when QEMU knows of no agent', async (t) => {
  const root = lab(t);
  root.add('web', 'QGA=on\n');
  await root.ok('start', 'web');
  root.write('run/qemu-init/web/frozen-since', 'damaged');
  const { stderr } = await root.init('pause', 'web');
  assert.match(stderr, /^web: warning: its file systems may still be frozen \(no agent runs in the guest\)/m);
  await root.ok('kill', 'web');
});
