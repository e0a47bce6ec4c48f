import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupLab, MIB } from '../support/backup-lab.ts';
import { parseJson } from '../support/cli.ts';
import { killBefore } from '../support/kill-before.ts';
import { type JsonObject, until } from '../support/lab.ts';

test('a second backup at the same time is told, as is one that a stop or the end of QEMU has ended; nothing of it is left', async (t) => {
  const host = backupLab(t);
  await host.ok('start', 'web');
  const { point: parent } = await host.backUp();
  for (const end of ['stop', 'kill']) {
    if (end === 'kill') await host.ok('start', 'web');
    await host.poke(7, 0, 8 * MIB);
    // It is ended with the machine, long before it would be complete.
    const first = host.spawn('qemu-init', ['backup', 'create', 'web', host.dest, '--rate', '128K']);
    await until('it copies', async () => (await host.ok('jobs', 'web')).includes('qi.backup.dsk1'));
    const second = await host.tryBackUp();
    assert.equal(second.code, 1);
    assert.match(second.stderr, /The backups of machine "web" in ".*" are in use/);
    const elsewhere = join(host.dir, end);
    mkdirSync(elsewhere);
    const third = await host.init('backup', 'create', 'web', elsewhere);
    assert.match(third.stderr, /is busy since .* \(a backup to ".*", by process \d+\)/);
    const ended = await host.init(end, 'web', ...(end === 'stop' ? ['--force'] : []));
    assert.equal(ended.code, 0, ended.stderr);
    if (end === 'stop')
      assert.match(ended.stderr, /a backup to ".*" goes on since .*, and ends incomplete with the machine/);
    const { code, stderr } = await first.result;
    assert.equal(code, 7, stderr);
    assert.match(stderr, /Machine "web" ended before the backup was complete/);
    host.assertTidy();
    const { kind, parent: on, point } = await host.backUp();
    assert.deepEqual([kind, on], end === 'stop' ? ['incremental', parent] : ['full', null]);
    host.assertEqual(point);
  }
});

test('a backup of a machine that is being stopped waits for that, says so, and has all that was written until then', async (t) => {
  const host = backupLab(t);
  const { point: parent } = await host.backUp();
  await host.ok('start', 'web');
  await host.poke(1, MIB, 8 * MIB);
  // Nothing in it hears of the button.
  const stop = host.spawn('qemu-init', ['stop', 'web', '--timeout', '600']);
  await until('the stop has begun', () => existsSync(host.file('web', 'lock')));
  const backup = host.spawn('qemu-init', ['backup', 'create', 'web', host.dest, '--json']);
  await until('it waits', () => backup.stderr().includes('web: waiting for "stop" (process '));
  await host.poke(2, 2 * MIB, 8 * MIB);
  await host.cmd('-c', 'quit', 'web');
  assert.equal((await stop.result).code, 0);
  const result = await backup.result;
  assert.equal(result.code, 0, result.stderr);
  const [made] = parseJson(result) as JsonObject[];
  assert.deepEqual([made?.['kind'], made?.['parent']], ['incremental', parent]);
  await host.assertRestores(made?.['point']);
  host.assertTidy();
  assert.deepEqual(host.leftovers(), []);
});

test('Ctrl-C leaves nothing, and the next backup has what that one was to have', async (t) => {
  const host = backupLab(t);
  await host.ok('start', 'web');
  const { point: parent } = await host.backUp();
  await host.poke(6, MIB, 8 * MIB);
  const call = host.spawn('qemu-init', ['backup', 'create', 'web', host.dest, '--rate', '256K']);
  await until('it copies', async () => (await host.ok('jobs', 'web')).includes('qi.backup.dsk1'));
  call.child.kill('SIGINT');
  const { code } = await call.result;
  assert.notEqual(code, 0);
  assert.match(await host.ok('jobs', 'web'), /no jobs/);
  host.assertTidy();
  const next = await host.backUp();
  assert.deepEqual([next['kind'], next['parent']], ['incremental', parent]);
  host.assertEqual(next['point']);
});

test('whenever the command is killed, the next ones set things right, and no change is missed', async (t) => {
  const host = backupLab(t);
  await host.ok('start', 'web');
  await host.backUp();
  // From before the first step to after the last one; the guest goes on in each case.
  for (const [round, delayMs] of [100, 180, 240, 280, 320, 500].entries()) {
    await host.poke(round + 1, round * MIB, MIB);
    const call = host.spawn('qemu-init', [
      'backup',
      'create',
      'web',
      host.dest,
      ...(round % 2 === 0 ? [] : ['--rate', '2M']),
    ]);
    await Promise.race([new Promise((resolve) => setTimeout(resolve, delayMs)), call.result]);
    call.child.kill('SIGKILL');
    await call.result;
    const status = await host.init('status', 'web');
    assert.equal(status.code, 0, status.stderr);
    const jobs = [...(await host.ok('jobs', 'web')).matchAll(/qi\.backup\.[\w.-]+/g)];
    for (const [job] of jobs) await host.ok('jobs', 'cancel', 'web', job);
    await host.poke(round + 101, round * MIB + 4096, 4096);
    const { point, kind } = await host.backUp();
    assert.equal(kind, 'incremental', `after ${delayMs} ms`);
    host.assertEqual(point);
    host.assertTidy();
    assert.match(await host.ok('jobs', 'web'), /no jobs/);
    const nodes = await host.cmd('-q', 'query-named-block-nodes', 'web');
    assert.doesNotMatch(nodes.stdout, /"bk-/);
    assert.equal(nodes.stdout.match(/"qi\.backup\./g)?.length, 1, 'one bitmap');
  }
  await host.ok('backup', 'verify', host.dest);
});

test('of a first backup that is killed any other command leaves nothing, not even what is hidden in the destination', async (t) => {
  const host = backupLab(t);
  for (const step of [`rename ${join(host.stateDir, 'web/.work.json')}`, '"execute":"transaction"']) {
    await killBefore(host, step, ['backup', 'create', 'web', host.dest]);
    assert.match((await host.init('check', 'web')).stderr, /interrupted: a backup to ".*": it is undone/);
    assert.deepEqual(readdirSync(host.dest), [], step);
    assert.deepEqual(readdirSync(join(host.stateDir, 'web')), [], step);
  }
});

test('"jobs resume" completes the backup of a command that was killed, as of the instant at which that had begun', async (t) => {
  const host = backupLab(t);
  await host.ok('start', 'web');
  await host.backUp();
  await host.poke(1, MIB, 8 * MIB);
  const call = host.spawn('qemu-init', ['backup', 'create', 'web', host.dest, '--rate', '1M', '--keep', '1']);
  const work = join(host.stateDir, 'web', 'work.json');
  await until('it copies', () => existsSync(work) && readFileSync(work, 'utf8').includes('"copying"'));
  call.child.kill('SIGKILL');
  await call.result;
  const then = host.content();
  await host.poke(2, 4 * MIB, MIB);
  const status = await host.init('status', 'web');
  assert.match(
    status.stderr,
    /a backup to ".*": it goes on inside QEMU \(\d+ %\); to go on with it: qemu-init jobs resume web/,
  );
  assert.match(await host.ok('jobs', 'resume', 'web'), /done: a backup to "/);
  const points = readdirSync(host.points).filter((name) => /^\d/.test(name));
  assert.equal(points.length, 1, '--keep still holds');
  host.assertEqual(points[0], then);
  const { kind, point } = await host.backUp();
  assert.equal(kind, 'incremental');
  host.assertEqual(point);
  host.assertTidy();
});

test('a stopped machine cannot be started during its backup; a kill of the command keeps its bitmaps', async (t) => {
  const host = backupLab(t);
  const { point: parent } = await host.backUp();
  const full = host.spawn('qemu-init', ['backup', 'create', 'web', host.dest, '--full', '--rate', '1M']);
  await until('it copies', () => readdirSync(host.points).some((name) => name.endsWith('.part')));
  const start = await host.init('start', 'web');
  assert.equal(start.code, 1, start.stderr);
  assert.match(start.stderr, /Cannot start machine "web": a backup to ".*" goes on since \d{4}-/);
  full.child.kill('SIGKILL');
  await full.result;
  await host.ok('start', 'web');
  await host.poke(5, 0, MIB);
  const { kind, parent: on, point } = await host.backUp();
  assert.deepEqual([kind, on], ['incremental', parent]);
  host.assertEqual(point);
  host.assertTidy();
});
