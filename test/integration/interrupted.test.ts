import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Tool } from '../support/cli.ts';
import { interruptStarts } from '../support/interrupted-starts.ts';
import { lab, until } from '../support/lab.ts';

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

test('Ctrl-C ends each command that waits for standard input on which nothing comes', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  for (const [tool, ...words] of [
    ['qemu-init', 'import', '-'],
    ['qemu-init', 'agent', 'web', 'passwd', 'root'],
    ['qemu-init', 'agent', 'web', 'exec', '--stdin', '--', 'cat'],
    ['qemu-init', 'type', 'web', '-'],
    ['qemu-cmd', '-q', '-', 'web'],
    ['qemu-mon', 'web'],
  ] as const satisfies readonly (readonly [Tool, ...string[]])[]) {
    const { child, result } = root.spawn(tool, words);
    await until(`${tool} ${words.join(' ')} takes signals`, () => turnsSignalsIntoAborts(child.pid));
    child.kill('SIGINT');
    const { code, stderr } = await result;
    assert.equal(code, 130, `${words.join(' ')}: ${stderr}`);
    assert.match(stderr, /: Interrupted\n$/, words.join(' '));
  }
  await root.ok('kill', 'web');
});

/** proc_pid_status(5): a mask with a bit for each signal, from 1. Node.js itself catches SIGINT, but not SIGHUP. */
function turnsSignalsIntoAborts(pid: number | undefined): boolean {
  const [, mask = '0'] = /^SigCgt:\t([\da-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (BigInt(`0x${mask}`) & 1n) !== 0n;
}
