import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseJson } from '../support/cli.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { type JsonObject, type Lab, lab, until } from '../support/lab.ts';
import { enterOwnMounts, makeReadOnly, mountSmall, unmount } from '../support/own-mounts.ts';
import type { Cleanup } from '../support/temp-root.ts';

await enterOwnMounts();

/** A lab of its own for a test that mounts below it; what is mounted is unmounted before the lab is removed. */
function mountLab(t: Cleanup): Lab & { readonly unmountAfter: (dir: string) => void } {
  const dirs: string[] = [];
  t.after(() => {
    for (const dir of dirs.reverse()) unmount(dir);
  });
  return { ...lab(t), unmountAfter: (dir) => dirs.push(dir) };
}

/** Leaves so many bytes of a small file system, or a little less. */
function fill(dir: string, freeBytes: number): void {
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(join(dir, 'ballast'), new Uint8Array(Math.max(0, bavail * bsize - freeBytes)));
}

test('a state folder that is read-only costs a warning and nothing else', async (t) => {
  const root = mountLab(t);
  root.add('web', 'NIC1=virtio-net-pci,net=user\n');
  makeReadOnly(root.stateDir);
  root.unmountAfter(root.stateDir);
  const started = await root.init('start', 'web');
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stderr, /cannot write the addresses to ".*macs\.json" \(EROFS\)/);
  assert.match(started.stderr, /cannot record slot \d+ in ".*slots\.json" \(EROFS\)/);
  assert.equal(await root.state('web'), 'running');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const mac = /mac=([^,]+)/.exec(await root.ok('showcmd', 'web'))?.[1];
  await root.ok('stop', 'web');
  await root.ok('start', 'web');
  assert.equal(/mac=([^,]+)/.exec(await root.ok('showcmd', 'web'))?.[1], mac);
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(root.leftovers(), []);
});

test('a read-only configuration folder prevents what would change it, and nothing else', async (t) => {
  const root = mountLab(t);
  const path = root.add('web');
  makeReadOnly(root.etcDir);
  root.unmountAfter(root.etcDir);
  for (const args of [
    ['register', 'web2', path],
    ['unregister', 'web'],
    ['edit', 'web'],
    ['import', path],
  ]) {
    const refused = await root.run('qemu-init', args, { env: { EDITOR: `sh -c 'echo >>"$0"'` } });
    assert.notEqual(refused.code, 0, args.join(' '));
    assert.doesNotMatch(refused.stderr, /Internal error/);
  }
  assert.match(await root.ok('list'), /web/);
  assert.match(await root.ok('check', 'web'), /good/);
  // The guest's disk lies there too, and QEMU says so itself.
  const started = await root.init('start', 'web');
  assert.equal(started.code, 1);
  assert.match(started.stderr, /web\.img.*Read-only file system/);
  assert.deepEqual(root.leftovers(), []);
});

test('who may not write leaves what killed commands have left to others', async (t) => {
  const root = mountLab(t);
  root.add('web');
  await root.ok('start', 'web');
  const left = { kind: 'files', what: 'copying DSK1', startedAt: new Date().toISOString(), tool: { pid: 4_194_304 } };
  const [work, mark] = [join(root.stateDir, 'web/work.json'), root.file('web', 'frozen-since')];
  mkdirSync(join(root.stateDir, 'web'), { recursive: true });
  writeFileSync(work, JSON.stringify(left));
  writeFileSync(mark, '{}');
  const dirs = [root.runDir, root.stateDir];
  try {
    for (const dir of dirs) makeReadOnly(dir);
    for (const action of [['metrics'], ['status', 'web'], ['snapshot', 'list', 'web']]) {
      const { code, stderr } = await root.init(...action);
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /warning|cannot|frozen|copying/, action.join(' '));
    }
  } finally {
    for (const dir of dirs) unmount(dir);
  }
  assert.ok(existsSync(work));
  assert.ok(existsSync(mark));
  const { stderr } = await root.init('status', 'web');
  assert.match(stderr, /copying DSK1: it is undone/);
  assert.equal(existsSync(work), false);
  await root.ok('kill', 'web');
});

test('a run-time folder that is read-only is told, with what it means', async (t) => {
  const root = mountLab(t);
  root.add('web');
  makeReadOnly(root.runDir);
  root.unmountAfter(root.runDir);
  const started = await root.init('start', 'web');
  assert.equal(started.code, 1, started.stderr);
  assert.match(started.stderr, /read-only/i);
  assert.match(started.stderr, /hint: /);
  // Looking needs no writing.
  assert.equal((await root.init('status', 'web')).code, 3);
  assert.match(await root.ok('list'), /stopped/);
  assert.equal(root.qemus().length, 0);
});

test('a full run-time folder: whatever does not fit any more, the start fails, and leaves nothing', async (t) => {
  const root = mountLab(t);
  root.add('web', 'NIC1=virtio-net-pci,net=user\n');
  mountSmall(root.runDir, 128);
  root.unmountAfter(root.runDir);
  let succeeded = false;
  for (let free = 0; free <= 128 * 1024 && !succeeded; free += 4096) {
    fill(root.runDir, free);
    const started = await root.init('start', 'web');
    succeeded = started.code === 0;
    if (!succeeded) {
      assert.equal(started.code, 1, started.stderr);
      assert.match(started.stderr, /no space left|ENOSPC/i);
      assert.doesNotMatch(started.stderr, /Internal error/);
      assert.equal(root.qemus().length, 0);
    }
    // However full: what runs can be looked at and ended.
    assert.equal((await root.init('status', 'web')).code, succeeded ? 0 : 3);
    const stopped = await root.init('stop', 'web', '--force');
    assert.equal(stopped.code, 0, stopped.stderr);
    writeFileSync(join(root.runDir, 'ballast'), '');
    assert.deepEqual(root.leftovers(), ['ballast'], `with ${free} bytes`);
  }
  assert.ok(succeeded, 'it never started');
});

test('a disk that fills up while a machine runs does not keep it from being stopped', async (t) => {
  const root = mountLab(t);
  mountSmall(root.dir, 4096);
  root.unmountAfter(root.dir);
  for (const dir of ['etc/qemu', 'run/qemu-init', 'var/lib/qemu-init', 'var/log/qemu-init'])
    root.write(`${dir}/.there`, '');
  root.add('web', 'STOPDELAY=5\n');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  fill(root.dir, 0);
  assert.equal(await root.state('web'), 'running');
  assert.match((await root.cmd('-c', 'info status', 'web')).stdout, /running/);
  const stopped = await root.one('stop', 'web');
  assert.equal(stopped['rung'], 'powerdown');
  assert.deepEqual(root.qemus(), []);
});

test('a guest that stands still because its disk is full is told as that, and goes on when there is room', async (t) => {
  const root = mountLab(t);
  const dir = join(root.dir, 'small');
  mkdirSync(dir);
  mountSmall(dir, 256);
  root.unmountAfter(dir);
  root.add('web', `DSK1=${dir}/web.img\nSTOPDELAY=3\n`);
  guestDisk(dir, { name: 'web.img', writes: true });
  fill(dir, 0);
  await root.ok('start', 'web');
  await until('the guest stands still', async () => (await root.state('web')) === 'io-error');
  const { stateDetail } = await root.one('status', 'web');
  assert.equal(stateDetail, 'dsk1: no space left on the host');
  const { fullDisks, problems } = await root.one('status', 'web');
  assert.deepEqual(fullDisks, [{ key: 'DSK1', file: `${dir}/web.img`, fileSystem: dir, freeBytes: 0 }]);
  assert.match(
    JSON.stringify(problems),
    /DSK1 .*web\.img.* has no room on .*small.*\(0 KiB free\); when there is room: qemu-init resume web/,
  );
  assert.match((await root.init('status', 'web')).stderr, /warning: .*has no room on|has no room on "/);
  assert.match((await root.init('doctor')).stdout, /io-error[\s\S]*dsk1: no space left/);
  const failed = await root.init('resume', 'web');
  assert.equal(failed.code, 1);
  assert.match(
    failed.stderr,
    /is not resumed, but io-error .*DSK1 ".*web\.img" has no room on ".*small" \(0 KiB free\)/,
  );
  const saved = await root.init('save', 'web');
  assert.match(saved.stderr, /it is io-error .*\n +hint: see what it waits for: qemu-init status web/);
  const stopped = await root.init('stop', 'web', '--no-kill', '--json');
  assert.match(stopped.stderr, /cannot shut down, because DSK1 .* has no room .*: it is asked until its time is up/);
  const [kept = {}] = parseJson(stopped) as JsonObject[];
  assert.deepEqual([kept['outcome'], kept['state']], ['failed', 'io-error']);
  rmSync(join(dir, 'ballast'));
  assert.match(
    JSON.stringify((await root.one('status', 'web'))['problems']),
    /DSK1 .* had no room on .*small.*, which has \d+ [KM]iB free now: qemu-init resume web/,
  );
  assert.equal((await root.one('resume', 'web'))['state'], 'running');
  await root.ok('wait', 'web', '--for', 'console=ready');
  assert.equal((await root.one('stop', 'web'))['rung'], 'powerdown');
});

test('a stop of a guest whose disk is full takes no time to ask it, and says why', async (t) => {
  const root = mountLab(t);
  const dir = join(root.dir, 'small');
  mkdirSync(dir);
  mountSmall(dir, 256);
  root.unmountAfter(dir);
  root.add('web', `DSK1=${dir}/web.img\nSTOPDELAY=300\n`);
  guestDisk(dir, { name: 'web.img', writes: true });
  fill(dir, 0);
  await root.ok('start', 'web');
  await until('the guest stands still', async () => (await root.state('web')) === 'io-error');
  const stopped = await root.init('stop', 'web');
  assert.match(stopped.stdout, /stopped by quit/);
  assert.match(stopped.stderr, /its guest cannot shut down, because DSK1 .* has no room on .*small/);
});

test('a copy without room, or to where nobody may write, is undone, and the machine runs on', async (t) => {
  const root = mountLab(t);
  const small = join(root.dir, 'small');
  const closed = join(root.dir, 'closed');
  for (const dir of [small, closed]) mkdirSync(dir);
  mountSmall(small, 512);
  root.unmountAfter(small);
  makeReadOnly(closed);
  root.unmountAfter(closed);
  const data = join(root.etcDir, 'data.img');
  writeFileSync(data, randomBytes(2 ** 21));
  guestDisk(root.etcDir, { name: 'boot.img' });
  const cfg = root.add('web', 'DSK1=boot.img,format=raw\nDSK2=data.img,format=raw\n');
  const before = readFileSync(cfg, 'utf8');
  const tries = async (): Promise<void> => {
    for (const format of ['qcow2', 'raw']) {
      const full = await root.init('disk', 'mirror', 'web', 'DSK2', join(small, 'copy'), '--format', format);
      assert.equal(full.code, 1);
      assert.match(full.stderr, /No space left on device/);
    }
    const refused = await root.init('disk', 'mirror', 'web', 'DSK2', join(closed, 'copy'));
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /Cannot make ".*closed\/copy|Cannot make ".*closed\/\.copy/);
    assert.deepEqual([...readdirSync(small), ...readdirSync(closed)], []);
    assert.equal(readFileSync(cfg, 'utf8'), before);
    assert.equal(existsSync(join(root.stateDir, 'web/work.json')), false);
  };
  await tries();
  await root.ok('start', 'web');
  await tries();
  assert.deepEqual((await root.one('jobs', 'web'))['jobs'], []);
  assert.equal(await root.state('web'), 'running');
  await root.ok('stop', 'web', '--force');
});

test('a machine for which there is no room is not created, cloned or imported by half', async (t) => {
  const root = mountLab(t);
  const small = join(root.dir, 'small');
  mkdirSync(small);
  mountSmall(small, 1024);
  root.unmountAfter(small);
  root.add('web');
  const data = guestDisk(root.dir, { name: 'data.img' });
  writeFileSync(data, randomBytes(2 ** 21), { flag: 'a' });
  await root.ok('create', 'full', '--image', data);
  const text = root.write('user-data', `#cloud-config\n${'# x\n'.repeat(400_000)}`);
  const script = root.write('run.sh', `qemu-system-x86_64 -name shop -m 64 -hda ${data}\n`);
  for (const args of [
    ['create', 'db', '--image', data],
    ['create', 'db', '--disk', '1M', '--user-data', text],
    ['clone', 'full', 'db'],
    ['import', script, '--copy-disks'],
  ]) {
    const { code, stderr } = await root.init(...args, '--output', small);
    assert.equal(code, 1, `${args}: ${stderr}`);
    assert.match(stderr, /No space left on device|no space left on device/);
    assert.deepEqual(readdirSync(small), [], `${args}`);
  }
  assert.deepEqual(
    (await root.json('list')).map(({ name }) => name),
    ['web', 'full'],
  );
});

test('a full log folder does not keep a machine from starting', async (t) => {
  const root = mountLab(t);
  root.add('web');
  mountSmall(root.logDir, 16);
  root.unmountAfter(root.logDir);
  fill(root.logDir, 0);
  const started = await root.init('start', 'web');
  assert.equal(started.code, 0, started.stderr);
  const stopped = await root.init('stop', 'web', '--force');
  assert.equal(stopped.code, 0);
  assert.deepEqual(root.leftovers(), []);
  assert.ok(readdirSync(root.logDir).includes('web.log'));
});

test('a snapshot with memory that does not fit fails, leaves nothing, and the guest goes on', async (t) => {
  const root = mountLab(t);
  const dir = join(root.dir, 'small');
  mkdirSync(dir);
  mountSmall(dir, 3_000);
  root.unmountAfter(dir);
  const raw = guestDisk(root.dir, { name: 'boot.raw' });
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, join(dir, 'web.qcow2')]);
  root.add('web', `DSK1=${dir}/web.qcow2\n`);
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  fill(dir, 400_000);
  const refused = await root.init('snapshot', 'create', 'web', 'big', '--memory');
  assert.equal(refused.code, 1, refused.stdout);
  assert.match(refused.stderr, /memory could not be written.*web\.qcow2.* are free/s);
  assert.equal(await root.state('web'), 'running');
  assert.deepEqual((await root.one('snapshot', 'list', 'web'))['snapshots'], []);
  writeFileSync(join(dir, 'ballast'), '');
  await root.ok('snapshot', 'create', 'web', 'small');
  await root.ok('snapshot', 'revert', 'web', 'small');
  assert.equal(await root.state('web'), 'running');
  await root.ok('kill', 'web');
});

test('an external snapshot without room for it, and one whose machine cannot be edited, leave all as it was', async (t) => {
  const root = mountLab(t);
  const dir = join(root.dir, 'small');
  mkdirSync(dir);
  mountSmall(dir, 1_000);
  root.unmountAfter(dir);
  const raw = guestDisk(root.dir, { name: 'boot.raw' });
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, join(dir, 'web.qcow2')]);
  const cfg = root.add('web', `DSK1=${dir}/web.qcow2\n`);
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const text = readFileSync(cfg, 'utf8');
  const fails = async (pattern: RegExp): Promise<void> => {
    const refused = await root.init('snapshot', 'create', 'web', 'a', '--external');
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, pattern);
    assert.doesNotMatch(refused.stderr, /Internal error|could not be undone/);
    assert.deepEqual(
      [readdirSync(dir).filter((name) => name !== 'ballast'), readFileSync(cfg, 'utf8')],
      [['web.qcow2'], text],
    );
    assert.equal(await root.state('web'), 'running');
    assert.deepEqual((await root.one('snapshot', 'list', 'web'))['snapshots'], []);
  };
  fill(dir, 20_000);
  await fails(/ENOSPC|no space/i);
  writeFileSync(join(dir, 'ballast'), '');
  makeReadOnly(root.etcDir);
  root.unmountAfter(root.etcDir);
  await fails(/EROFS|read-only/i);
  await root.ok('kill', 'web');
});
