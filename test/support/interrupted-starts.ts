import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stoppedThere, stoppingAt } from './kill-before.ts';
import { type Lab, lab, programsNaming } from './lab.ts';
import type { Cleanup } from './temp-root.ts';

/**
 * Ends a start at so many moments, from its first to its last, and once when it has a QEMU for certain. Fails unless the next
 * start or stop works at once, and nothing is orphaned.
 */
export async function interruptStarts(t: Cleanup, signal: NodeJS.Signals, moments: number): Promise<void> {
  const root = lab(t);
  root.add('web', 'VNC=on\nNIC1=virtio-net-pci,net=user\n');
  const took = await timeOfStart(root);
  for (let moment = 0; moment < moments; moment += 1) {
    // The first start of all also asks QEMU what it can do.
    if (moment % 4 === 0) rmSync(join(root.stateDir, '.probes'), { recursive: true, force: true });
    const code = await interruptStart(root, signal, (took * moment) / (moments - 1));
    await worksOn(root, `moment ${moment}, ended with ${code}`, { code, again: moment % 2 === 0 });
  }
  const start = root.spawn('qemu-init', ['start', 'web'], { env: stoppingAt('send {"execute"') });
  const pid = await stoppedThere(start);
  process.kill(pid, signal);
  process.kill(pid, 'SIGCONT');
  const { code } = await start.result;
  assert.equal(code, signal === 'SIGINT' ? 130 : undefined);
  await worksOn(root, 'when it has a QEMU', { code, again: true });
  assert.deepEqual(programsNaming(root.dir), []);
}

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

/** After a start that ended with a status: another one if that is asked for, and a stop. */
async function worksOn(
  root: Lab,
  about: string,
  { code, again }: { readonly code: number | undefined; readonly again: boolean },
): Promise<void> {
  if (code === 130) assert.deepEqual(root.leftovers(), [], about);
  assert.ok(root.qemus().length <= 1, about);
  if (again) {
    await root.ok('start', 'web');
    assert.equal(root.qemus().length, 1, about);
    assert.equal(await root.state('web'), 'running', about);
  }
  const stopped = await root.init('stop', 'web', '--force');
  assert.equal(stopped.code, 0, `${about}: ${stopped.stderr}`);
  assert.deepEqual(root.leftovers(), [], about);
  assert.doesNotMatch(stopped.stderr, /waiting/, about);
}
