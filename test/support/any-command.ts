import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { errorCode } from '../../src/base/errors.ts';
import { QmpClient } from '../../src/index.ts';
import type { Tool } from './cli.ts';
import { killBefore } from './kill-before.ts';
import { type Lab, lab, until } from './lab.ts';
import { qemuImg } from './odd-images.ts';

/** A call that may be the next one. */
export interface NextCall {
  readonly tool?: Tool;
  /** `DIR` is a folder, in which are backups of the machine. */
  readonly words: readonly string[];
  readonly tty?: boolean;
}

/**
 * Kills a command again and again at the step at which the guest waits for it, and has each of the calls be the next
 * one: fails unless nothing waits any more while that call still runs, or when it has ended.
 */
export async function settlesWith(t: TestContext, calls: readonly NextCall[]): Promise<void> {
  const root = lab(t);
  root.ownPorts();
  const dir = join(root.dir, 'more');
  mkdirSync(dir);
  qemuImg('create', '-q', '-f', 'qcow2', join(root.etcDir, 'web.qcow2'), '1M');
  writeFileSync(join(root.etcDir, 'disc.iso'), Buffer.alloc(65_536));
  root.add('web', 'DSK1=web.qcow2\nCDR1=empty\n');
  await root.ok('backup', 'create', 'web', dir);
  for (const call of calls) {
    await waiting(root, dir);
    await callSettles(root, dir, call);
  }
}

/** Leaves a guest that waits: the disk is the same in two images, and no command says any more in which one it goes on. */
async function waiting(root: Lab, dir: string): Promise<void> {
  // Whatever the call before has done to the machine: it is as it was.
  if ((await root.state('web')) !== 'running') {
    await root.init('kill', 'web');
    await root.ok('start', '--fresh', 'web');
  }
  const copies = ['one', 'two'].map((name) => join(dir, `${name}.qcow2`));
  const { disks } = await root.one('disk', 'list', 'web');
  const [disk] = disks as readonly { readonly file: string }[];
  const [next = ''] = copies.filter((file) => file !== disk?.file);
  rmSync(next, { force: true });
  await killBefore(root, '"execute":"job-finalize"', ['disk', 'mirror', 'web', 'DSK1', next]);
  assert.ok(await isWaiting(root));
}

async function callSettles(root: Lab, dir: string, { tool = 'qemu-init', words, tty }: NextCall): Promise<void> {
  const args = words.map((word) => word.replaceAll('DIR', dir));
  // What npm sets waits for keys.
  const call = root.spawn(tool, args, { tty, env: { EDITOR: 'true', VISUAL: 'true' } });
  let isOver = false;
  void call.result.finally(() => (isOver = true)).catch(() => {});
  const about = `the guest goes on with: ${tool} ${words.join(' ')}`;
  await until(about, async () => {
    const wasOver = isOver;
    if (!(await isWaiting(root))) return true;
    assert.equal(wasOver, false, `${about}\n${call.stdout()}${call.stderr()}`);
    return false;
  });
  // What goes on until it is interrupted, or what the call itself was to do.
  call.child.kill('SIGINT');
  await call.result;
  assert.ok(existsSync(join(root.etcDir, 'web-qemu.cfg')), about);
}

/** By a client of its own: a command of ours would settle it. */
async function isWaiting(root: Lab): Promise<boolean> {
  const client = new QmpClient();
  try {
    await client.open({ kind: 'unix', path: root.file('web', 'qemu', 'qmp.sock') });
    const jobs = await client.executeRaw('query-jobs', {});
    return Array.isArray(jobs) && jobs.length > 0;
  } catch (error) {
    // QEMU has ended, and with it the wait. One that only does not answer may still wait.
    if (hasEnded(error)) return false;
    if (errorCode(error) !== 'QEMU_QMP_CLOSED') throw error;
  } finally {
    await client.close();
  }
  // It hung up meanwhile, and can be asked once more.
  return isWaiting(root);
}

/** Whether nobody listens on the socket any more. */
function hasEnded(error: unknown): boolean {
  const causes = error instanceof Error ? [error, error.cause] : [];
  return causes.some((each) => each instanceof Error && 'code' in each && ENDED.has(each.code));
}

const ENDED: ReadonlySet<unknown> = new Set(['ENOENT', 'ECONNREFUSED']);
