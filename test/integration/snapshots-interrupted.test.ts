import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { guestDisk } from '../support/guest-disk.ts';
import { interrupt, settleWork, timed } from '../support/interrupt.ts';
import { killBefore } from '../support/kill-before.ts';
import { type JsonObject, type Lab, lab } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';

const MOMENTS = 3;
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const FILES = ['one.qcow2', 'two, ü.qcow2', 'three.qcow2'];

/** A machine with three disks, in a folder that its QEMU may not write to. */
function machine(t: Cleanup): Lab {
  const root = lab(t);
  root.ownPorts();
  chmodSync(root.dir, 0o711);
  const boot = guestDisk(root.dir, { name: 'boot.img' });
  for (const [at, file] of FILES.entries()) {
    const path = join(root.etcDir, file);
    if (at === 0) {
      execFileSync('qemu-img', ['convert', '-O', 'qcow2', boot, path]);
      execFileSync('qemu-img', ['resize', '-q', path, '8M']);
    } else execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '8M']);
    if (isRoot) chownSync(path, NOBODY, NOBODY);
  }
  rmSync(boot);
  const user = isRoot ? 'RUNAS=nobody\nSANDBOX=on\n' : '';
  root.add(
    'web',
    `RAM=8M\nNETIF=managed\n${user}${FILES.map((file, at) => `DSK${at + 1}=${file.replace(',', ',,')}\n`).join('')}`,
  );
  return root;
}

function write(root: Lab, word: number): void {
  for (const file of FILES)
    execFileSync('qemu-io', ['-c', `write -P ${word} 1M 64k`, join(root.etcDir, file)], { stdio: 'ignore' });
}

/** Which of two words is on all disks. Nothing else is, and no two of them. */
function read(root: Lab, words: readonly number[]): number {
  const found = FILES.map((file) =>
    words.find((word) => {
      const args = ['-r', '-c', `read -P ${word} 1M 64k`, join(root.etcDir, file)];
      return spawnSync('qemu-io', args).status === 0;
    }),
  );
  assert.equal(new Set(found).size, 1, `the disks differ: ${found}`);
  assert.ok(found[0] !== undefined);
  return found[0];
}

const names = async (root: Lab): Promise<[string, number][]> =>
  ((await root.one('snapshot', 'list', 'web'))['snapshots'] as JsonObject[]).map((each) => [
    String(each['name']),
    (each['disks'] as string[]).length,
  ]);

/** Each snapshot is on all disks. */
async function requireWhole(root: Lab): Promise<void> {
  assert.deepEqual(
    (await names(root)).filter(([, disks]) => disks !== FILES.length),
    [],
  );
}

for (const signal of ['SIGKILL', 'SIGINT'] as const) {
  test(`${signal} at some moments of each command on snapshots of a machine that does not run: all disks or none`, async (t) => {
    const root = machine(t);
    const moments = signal === 'SIGKILL' ? 2 * MOMENTS : 2;
    write(root, 1);
    const toCreate = await timed(() => root.ok('snapshot', 'create', 'web', 'first'));
    const counts = { create: 0, revert: 0, delete: 0 };
    for (let moment = 0; moment < moments; moment++) {
      const part = (moment + 0.5) / moments;
      write(root, 2);
      counts.create += Number(await interrupt(root, signal, toCreate * part, ['snapshot', 'create', 'web', 'next']));
      await settleWork(root);
      await requireWhole(root);
      counts.revert += Number(
        await interrupt(root, signal, 1.5 * toCreate * part, ['snapshot', 'revert', 'web', 'first']),
      );
      await settleWork(root);
      assert.ok((await names(root)).every(([name]) => ['first', 'next'].includes(name)));
      const word = read(root, [1, 2]);
      if ((await names(root)).some(([name]) => name === 'next')) {
        await root.ok('snapshot', 'revert', 'web', 'next');
        assert.equal(read(root, [1, 2]), 2, `moment ${moment}, after ${word}`);
        counts.delete += Number(await interrupt(root, signal, toCreate * part, ['snapshot', 'delete', 'web', 'next']));
        await settleWork(root);
        await requireWhole(root);
        await root.init('snapshot', 'delete', 'web', 'next');
      }
    }
    await root.ok('snapshot', 'revert', 'web', 'first');
    assert.equal(read(root, [1, 2]), 1);
    for (const file of FILES) execFileSync('qemu-img', ['check', '-q', join(root.etcDir, file)]);
    assert.ok(counts.create + counts.revert + counts.delete > 0, JSON.stringify(counts));
    assert.deepEqual(root.leftovers(), []);
  });
}

test(`SIGKILL at ${MOMENTS} moments of snapshots with memory, and of QEMU in one: the machine runs or is whole on its disks`, async (t) => {
  const root = machine(t);
  await root.ok('start', 'web');
  const took = await timed(() => root.ok('snapshot', 'create', 'web', 'first', '--memory'));
  for (let moment = 0; moment < MOMENTS; moment++) {
    const delayMs = (took * (moment + 0.5)) / MOMENTS;
    await interrupt(root, 'SIGKILL', delayMs, ['snapshot', 'create', 'web', 'next', '--memory']);
    await settleWork(root);
    assert.equal(await root.state('web'), 'running');
    await root.init('snapshot', 'delete', 'web', 'next');
    await interrupt(root, 'SIGKILL', delayMs, ['snapshot', 'revert', 'web', 'first']);
    await settleWork(root);
    assert.equal(await root.state('web'), 'running');
  }
  const pid = Number((await root.one('status', 'web'))['pid']);
  const create = root.spawn('qemu-init', ['snapshot', 'create', 'web', 'dies', '--memory']);
  await once(create.child, 'spawn');
  await sleep(took * 0.7);
  process.kill(pid, 'SIGKILL');
  await create.result;
  await settleWork(root);
  await root.ok('snapshot', 'revert', 'web', 'first');
  // 3: clusters that nothing uses any more, which a QEMU that is killed leaves.
  for (const file of FILES) {
    const { status } = spawnSync('qemu-img', ['check', '-q', join(root.etcDir, file)]);
    assert.ok(status === 0 || status === 3, `${file}: ${status}`);
  }
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('snapshot', 'revert', 'web', 'first');
  assert.equal(await root.state('web'), 'running');
});

/** The image that the machine's file names for DSK1. */
function named(root: Lab): string {
  const text = readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8');
  return /^DSK1="?([^",\n]*)/m.exec(text)?.[1] ?? '';
}

test(`SIGKILL at ${MOMENTS} moments of external snapshots and their merges, and of QEMU: the file names the layer on top`, async (t) => {
  const root = machine(t);
  const images = (): string[] => readdirSync(root.etcDir).filter((name) => /qcow2|part/.test(name));
  const check = async (): Promise<void> => {
    await settleWork(root);
    const [disk] = (await root.one('disk', 'list', 'web'))['disks'] as JsonObject[];
    assert.equal(disk?.['file'], join(root.etcDir, named(root)));
    const chains = (await root.one('disk', 'list', 'web'))['disks'] as { readonly chain: readonly JsonObject[] }[];
    const used = chains.flatMap(({ chain }) => chain.map(({ file }) => basename(String(file))));
    assert.deepEqual(images().sort(), used.sort(), 'nothing is left behind');
  };
  await root.ok('start', 'web');
  const took = await timed(() => root.ok('snapshot', 'create', 'web', 'first', '--external'));
  for (let moment = 0; moment < MOMENTS; moment++) {
    const delayMs = (took * (moment + 0.7)) / MOMENTS;
    await interrupt(root, 'SIGKILL', delayMs, ['snapshot', 'create', 'web', 'next', '--external']);
    await check();
    await requireWhole(root);
    assert.equal(await root.state('web'), 'running');
    await root.init('snapshot', 'create', 'web', 'next', '--external');
    // A layer in the middle and, the next time, the one on top.
    const merged = moment % 2 === 0 ? 'first' : 'next';
    await interrupt(root, 'SIGKILL', delayMs, ['snapshot', 'delete', 'web', merged]);
    await check();
    assert.equal(await root.state('web'), 'running');
    // Of some disks it may be gone: then there is no way back to it, but the rest can be deleted.
    const isPart = (await names(root)).some(([name, disks]) => name === merged && disks < FILES.length);
    if (isPart) assert.match((await root.init('snapshot', 'revert', 'web', merged)).stderr, /is not whole/);
    await root.init('snapshot', 'delete', 'web', merged);
    assert.ok(!(await names(root)).some(([name]) => name === merged));
    if (merged === 'first') {
      await root.init('snapshot', 'create', 'web', 'first', '--external');
      await root.ok('snapshot', 'delete', 'web', 'next');
    }
    await check();
  }
  const create = root.spawn('qemu-init', ['snapshot', 'create', 'web', 'dies', '--external']);
  await once(create.child, 'spawn');
  await sleep(took * 0.8);
  await root.ok('kill', 'web');
  await create.result;
  await check();
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('stop', 'web', '--force');
  await root.ok('snapshot', 'delete', 'web', 'first');
  await root.init('snapshot', 'delete', 'web', 'dies');
  assert.deepEqual(images().sort(), [...FILES].sort());
  for (const file of FILES) {
    const { status } = spawnSync('qemu-img', ['check', '-q', join(root.etcDir, file)]);
    assert.ok(status === 0 || status === 3, `${file}: ${status}`);
  }
});

test('a deletion that is killed before it is noted takes no other snapshot with it', async (t) => {
  const root = machine(t);
  await root.ok('snapshot', 'create', 'web', 'first', '--external');
  await root.ok('snapshot', 'create', 'web', 'next', '--external');
  await killBefore(root, `rename ${join(root.stateDir, 'web/.snapshots.json.')}`, [
    'snapshot',
    'delete',
    'web',
    'first',
  ]);
  assert.ok((await names(root)).some(([name, disks]) => name === 'next' && disks === FILES.length));
  await root.ok('snapshot', 'delete', 'web', 'first');
  assert.deepEqual(await names(root), [['next', FILES.length]]);
  await root.ok('snapshot', 'revert', 'web', 'next');
});
