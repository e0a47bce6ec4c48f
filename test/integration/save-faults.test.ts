import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stoppedThere, stoppingAt } from '../support/kill-before.ts';
import { type Lab, lab, until } from '../support/lab.ts';
import { GUEST_MS } from '../support/linux-guest.ts';
import { enterOwnMounts, mountSmall, unmount } from '../support/own-mounts.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

await enterOwnMounts();

/** When the tool is killed, in milliseconds after it was started: from before it has the lock to after QEMU has ended. */
const MOMENTS = [100, 180, 250, 320, 400, 550];

const folder = (root: Lab, ...names: readonly string[]): string => join(root.stateDir, 'web', ...names);

/** The tool stops right before it has QEMU send the state, and when it asks for the first time how far that is. */
const BEFORE_SENDING = stoppingAt('send {"execute":"migrate"');
const WHILE_SENDING = stoppingAt('send {"execute":"query-migrate"');

/** What an interrupted save must not leave. */
function leftovers(root: Lab): string[] {
  return [
    ...readdirSync(folder(root)).filter((name) => name !== 'saved' && name !== 'crash'),
    ...readdirSync(join(root.runDir, 'web')).filter((name) => name.includes('save')),
  ];
}

async function writesOn(root: Lab): Promise<void> {
  const before = lastWritten(root.console('web'));
  await until('it writes on', () => lastWritten(root.console('web')) > before, GUEST_MS);
}

test('whatever ends a save in the middle, the guest goes on as before, or is saved whole', async (t) => {
  const root = lab(t);
  root.ownPorts();
  mkdirSync(folder(root), { recursive: true });
  const disk = writerDisk(join(root.etcDir, 'web.qcow2'));
  root.add('web', `${writerMachine(writerGuest(root.etcDir))}DSK1=web.qcow2\n`);
  await root.ok('start', 'web');
  await until('it writes', () => lastWritten(root.console('web')) > 3, GUEST_MS);

  await t.test('SIGKILL of the tool at any moment', async () => {
    for (const moment of MOMENTS) {
      const save = root.spawn('qemu-init', ['save', 'web']);
      await sleep(moment);
      save.child.kill('SIGKILL');
      await save.result;
      const { state, saved } = await root.one('status', 'web');
      assert.ok(saved === true ? state === 'stopped' : state === 'running', `${moment} ms: ${state}, ${saved}`);
      if (saved === true) assert.equal((await root.one('start', 'web'))['restored'], true, `${moment} ms`);
      await writesOn(root);
      assert.deepEqual(leftovers(root), [], `${moment} ms`);
      assert.equal(existsSync(folder(root, 'saved')), false);
    }
  });

  await t.test('SIGKILL of the tool while it starts the guest again', async () => {
    for (const moment of [180, 320, 550]) {
      await root.ok('save', 'web');
      const start = root.spawn('qemu-init', ['start', 'web']);
      await sleep(moment);
      start.child.kill('SIGKILL');
      await start.result;
      const { code, stderr } = await root.init('start', 'web');
      assert.equal(code, 0, `${moment} ms: ${stderr}`);
      assert.equal(await root.state('web'), 'running', `${moment} ms`);
      await writesOn(root);
      assert.deepEqual(leftovers(root), [], `${moment} ms`);
      assert.equal(existsSync(folder(root, 'saved')), false);
    }
  });

  await t.test('Ctrl-C', async () => {
    const save = root.spawn('qemu-init', ['save', 'web'], { env: WHILE_SENDING });
    const pid = await stoppedThere(save);
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGCONT');
    const { code, stderr } = await save.result;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /Saving was interrupted[\s\S]*the machine is running/);
    await writesOn(root);
    assert.deepEqual(leftovers(root), []);
  });

  await t.test('a full disk', async () => {
    mountSmall(folder(root), 2048);
    const before = await root.init('save', 'web');
    assert.equal(before.code, 1);
    assert.match(before.stderr, /The state needs up to \d+ MiB, but ".*" has [12] MiB free/);
    unmount(folder(root));
    mountSmall(folder(root), 300 * 1024);
    const save = root.spawn('qemu-init', ['save', 'web'], { env: BEFORE_SENDING });
    const pid = await stoppedThere(save);
    const { bavail, bsize } = statfsSync(folder(root));
    spawnSync('fallocate', ['-l', String(bavail * bsize), folder(root, 'ballast')]);
    process.kill(pid, 'SIGCONT');
    const { code, stderr } = await save.result;
    rmSync(folder(root, 'ballast'), { force: true });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Cannot write ".*state"[\s\S]*full/);
    assert.equal(await root.state('web'), 'running');
    await writesOn(root);
    assert.deepEqual(leftovers(root), []);
    unmount(folder(root));
  });

  await t.test('SIGKILL of QEMU', async () => {
    const save = root.spawn('qemu-init', ['save', 'web'], { env: WHILE_SENDING });
    const pid = await stoppedThere(save);
    for (const qemu of root.qemus()) process.kill(qemu, 'SIGKILL');
    process.kill(pid, 'SIGCONT');
    const { code, stderr } = await save.result;
    assert.equal(code, 1, stderr);
    const { saved } = await root.one('status', 'web');
    assert.equal(saved, false);
    const { last, wrong } = checkRecords(disk);
    assert.ok(last >= lastWritten(root.console('web')));
    assert.deepEqual(wrong, []);
    assert.equal([...root.console('web').matchAll(/^boot /gm)].length, 1, 'until now it has gone on each time');
    await root.ok('start', 'web');
    assert.deepEqual(leftovers(root), []);
  });

  await t.test('kill, after which the machine counts as stopped', async () => {
    const save = root.spawn('qemu-init', ['save', 'web'], { env: WHILE_SENDING });
    const pid = await stoppedThere(save);
    const kill = root.spawn('qemu-init', ['kill', 'web']);
    await until('QEMU has ended', () => root.qemus().length === 0);
    process.kill(pid, 'SIGCONT');
    assert.equal((await save.result).code, 1);
    assert.equal((await kill.result).code, 0);
    assert.equal(await root.state('web'), 'stopped');
    assert.deepEqual(root.leftovers(), []);
  });
});
