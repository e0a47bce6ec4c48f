import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';

test('a QMP shell on a terminal completes commands and arguments, helps, and leaves the terminal as it was', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const shell = root.spawn('qemu-mon', ['--qmp', 'web'], { tty: true });
  await shell.waitForOutput('web> ');
  shell.write('query-nam');
  await shell.waitForOutput('query-nam');
  shell.write('\t');
  await shell.waitForOutput('query-name');
  shell.write('\r');
  await shell.waitForOutput('"name": "web"');
  shell.write('device_del i');
  await shell.waitForOutput('device_del i');
  shell.write('\t');
  await shell.waitForOutput('id=');
  shell.write('nothing\r');
  await shell.waitForOutput('QEMU refused');
  shell.write('help block_resize\r');
  await shell.waitForOutput('size=int');
  shell.write('exit\r');
  assert.equal((await shell.result).code, 0);
  await root.ok('kill', 'web');
});

test('a QMP shell on a pipe answers each line, and a refusal is its exit status', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const lines = 'query-name\n# a comment\n{"execute":"query-status"}\nnope\n';
  const shell = await root.run('qemu-mon', ['--qmp', 'web'], { input: lines });
  assert.equal(shell.code, 1);
  assert.match(shell.stdout, /"name": "web"[\s\S]*"status": "running"/);
  assert.match(shell.stderr, /nope/);
  const looking = await root.run('qemu-mon', ['--qmp', '--read-only', 'web'], { input: 'quit\nquery-name\n' });
  assert.equal(looking.code, 4);
  assert.match(looking.stderr, /"quit" changes the machine; --read-only refuses it/);
  assert.match(looking.stdout, /"name": "web"/);
  assert.equal(await root.state('web'), 'running');
  const hmp = await root.run('qemu-mon', ['--read-only', 'web'], { input: 'quit\ninfo name\n' });
  assert.equal(hmp.code, 4);
  assert.match(hmp.stderr, /"quit" changes the machine; --read-only refuses it/);
  assert.match(hmp.stdout, /^web/);
  assert.equal(await root.state('web'), 'running');
  await root.ok('kill', 'web');
  // Whether there are lines or not.
  for (const args of [['web'], ['--qmp', 'web'], ['--read-only', 'web']]) {
    for (const input of ['', 'info name\n']) {
      const stopped = await root.run('qemu-mon', args, { input });
      assert.equal(stopped.code, 7, args.join(' '));
      assert.match(stopped.stderr, /not running/);
    }
  }
});

test('events are followed over a restart of the machine until the reader is interrupted', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const events = root.spawn('qemu-mon', ['--events', 'web', 'STOP', 'SHUTDOWN']);
  await untilEvent(
    () => root.run('qemu-cmd', ['-c', 'stop', 'web']),
    () => root.run('qemu-cmd', ['-c', 'cont', 'web']),
    () => events.stdout().includes('"STOP"'),
  );
  await root.ok('restart', 'web');
  await events.waitForOutput('"SHUTDOWN"');
  const before = events.stdout().split('"STOP"').length;
  await untilEvent(
    () => root.run('qemu-cmd', ['-c', 'stop', 'web']),
    () => root.run('qemu-cmd', ['-c', 'cont', 'web']),
    () => events.stdout().split('"STOP"').length > before,
  );
  events.child.kill('SIGINT');
  const { stdout } = await events.result;
  for (const line of stdout.trim().split('\n')) {
    const { event } = JSON.parse(line);
    assert.ok(['STOP', 'SHUTDOWN'].includes(event), line);
  }
  await root.ok('kill', 'web');
});

/** Events are not replayed: what makes one is repeated until the reader, which connects in its own time, has seen it. */
async function untilEvent(
  make: () => Promise<unknown>,
  undo: () => Promise<unknown>,
  seen: () => boolean,
): Promise<void> {
  while (!seen()) {
    await make();
    await undo();
  }
}

test('one command goes to all running machines, and several come from stdin', async (t) => {
  const root = lab(t);
  for (const name of ['a', 'b', 'off']) root.add(name);
  await root.ok('start', 'a', 'b');
  const all = await root.run('qemu-cmd', ['--all', '-q', 'query-name', '--json']);
  const answers = JSON.parse(all.stdout) as { name: string; output: { name: string }; ok: boolean }[];
  assert.deepEqual(
    answers.map(({ name, output, ok }) => [name, output.name, ok]),
    [
      ['a', 'a', true],
      ['b', 'b', true],
    ],
  );
  const stdin = await root.run('qemu-cmd', ['-c', '-', 'a'], { input: 'info name\nnonsense\ninfo status\n' });
  assert.equal(stdin.code, 1);
  assert.match(stdin.stdout, /^a\n[\s\S]*nonsense[\s\S]*running/);
  await root.ok('kill', '--all');
});
