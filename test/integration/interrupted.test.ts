import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { interruptStarts } from '../support/interrupted-starts.ts';
import { lab } from '../support/lab.ts';

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`${signal} at 6 moments of a start: the next start or stop works at once, and nothing is orphaned`, (t) =>
    interruptStarts(t, signal, 6));
}

test('Ctrl-C during a stop leaves the machine alone, and the next stop works', async (t) => {
  const root = lab(t);
  root.add('web', 'STOPDELAY=600\n', { deaf: true });
  await root.ok('start', 'web');
  const stop = root.spawn('qemu-init', ['stop', 'web']);
  await once(stop.child, 'spawn');
  await root.ok('wait', 'web', '--for', 'console=ready');
  stop.child.kill('SIGINT');
  assert.equal((await stop.result).code, 130);
  assert.equal(await root.state('web'), 'running');
  const stopped = await root.one('stop', 'web', '--timeout', '0.1');
  assert.equal(stopped['rung'], 'quit');
  assert.deepEqual(root.leftovers(), []);
});
