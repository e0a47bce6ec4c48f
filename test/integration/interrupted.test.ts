import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, lab, programsNaming } from '../support/lab.ts';

const MOMENTS = 20;

/** How long a start takes here and now. */
async function timeOfStart(root: Lab): Promise<number> {
  const began = performance.now();
  await root.ok('start', 'web');
  const took = performance.now() - began;
  await root.ok('kill', 'web');
  return took;
}

/** Starts the machine, ends the tool at one of the moments, and waits until it is gone. */
async function interruptStart(root: Lab, signal: NodeJS.Signals, delayMs: number): Promise<number | undefined> {
  const start = root.spawn('qemu-init', ['start', 'web']);
  await once(start.child, 'spawn');
  await sleep(delayMs);
  start.child.kill(signal);
  return (await start.result).code;
}

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`${signal} at ${MOMENTS} moments of a start: the next start or stop works at once, and nothing is orphaned`, async (t) => {
    const root = lab(t);
    root.add('web', 'VNC=on\nNIC1=virtio-net-pci,net=user\n');
    const took = await timeOfStart(root);
    const codes = new Set<number | undefined>();
    for (let moment = 0; moment < MOMENTS; moment++) {
      // The first start of all also asks QEMU what it can do.
      if (moment % 4 === 0) rmSync(join(root.stateDir, '.probes'), { recursive: true, force: true });
      const code = await interruptStart(root, signal, (took * moment) / (MOMENTS - 1));
      codes.add(code);
      const about = `moment ${moment}, ended with ${code}`;
      if (code === 130) assert.deepEqual(root.leftovers(), [], about);
      assert.ok(root.qemus().length <= 1, about);
      if (moment % 2 === 0) {
        await root.ok('start', 'web');
        assert.equal(root.qemus().length, 1, about);
        assert.equal(await root.state('web'), 'running', about);
      }
      const stopped = await root.init('stop', 'web', '--force');
      assert.equal(stopped.code, 0, `${about}: ${stopped.stderr}`);
      assert.deepEqual(root.leftovers(), [], about);
      assert.doesNotMatch(stopped.stderr, /waiting/, about);
    }
    assert.ok(codes.has(signal === 'SIGINT' ? 130 : undefined), 'no start was interrupted');
    assert.deepEqual(programsNaming(root.dir), []);
  });
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
