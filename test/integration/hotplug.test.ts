import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { edit } from '../support/edit-machine.ts';
import { killBefore } from '../support/kill-before.ts';
import { type Lab, lab, until } from '../support/lab.ts';

test('diff names what a reload does, and a reload does all of it or nothing', async (t) => {
  const root = lab(t);
  root.add('web', 'MACHINE=q35\nHOTPLUG=2\nNIC1=virtio,net=user\n');
  for (const name of ['b.img', 'c.img', 'd.img']) root.write(`etc/qemu/${name}`, new Uint8Array(1024 ** 2));
  await root.ok('start', 'web');
  assert.deepEqual((await root.one('diff', 'web'))['differences'], []);

  edit(root, 'web', { DSK2: 'b.img', DSK3: 'c.img', STOPDELAY: '3' });
  const path = (name: string): string => `${root.etcDir}/${name}`;
  const live = { running: null, how: 'live', reason: null };
  assert.deepEqual((await root.one('diff', 'web'))['differences'], [
    { key: 'DSK2', file: path('b.img'), ...live },
    { key: 'DSK3', file: path('c.img'), ...live },
  ]);
  // A disk that another program has keeps no other one away.
  const holder = spawn('qemu-io', ['-f', 'raw', path('b.img')], { stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  const locked = await root.init('reload', 'web');
  assert.equal(locked.code, 1);
  assert.match(
    locked.stderr,
    new RegExp(`Cannot plug in DSK2: .*lock\\n.*b\\.img" is open in "qemu-io" \\(pid ${holder.pid}\\)`),
  );
  assert.deepEqual((await root.one('diff', 'web'))['differences'], [{ key: 'DSK2', file: path('b.img'), ...live }]);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  assert.deepEqual((await root.one('reload', 'web'))['applied'], ['DSK2']);
  assert.deepEqual((await root.one('diff', 'web'))['differences'], []);
  const blocks = (await root.cmd('-c', 'info block', 'web')).stdout;
  assert.match(blocks, /dsk2-fmt: .*b\.img/);
  edit(root, 'web', { DSK1: 'web.img,rate=1M', DSK2: 'b.img,rate=2M' });
  assert.deepEqual((await root.one('reload', 'web'))['applied'], ['DSK1', 'DSK2']);
  const throttled = (await root.cmd('-c', 'info block', 'web')).stdout;
  assert.match(throttled, /dsk1.*bps=1048576 .*dsk2.*bps=2097152 /s);
  edit(root, 'web', { DSK1: 'web.img', DSK2: 'b.img' });
  await root.ok('reload', 'web');
  assert.equal((await root.cmd('-c', 'info block', 'web')).stdout, blocks);

  // A third device on two ports: nothing is done, not even what could be.
  edit(root, 'web', { DSK4: 'd.img', NIC1: 'virtio,net=user,mac=52:54:00:00:00:09', RAM: '16M' });
  const refused = await root.init('reload', 'web');
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /Cannot change RAM, DSK4 \(all 2 hot-plug ports/);
  assert.match(await root.ok('diff', 'web'), /^web: RAM: 8M -> 16M \(restart\)$/m);
  const after = (await root.cmd('-c', 'info block', 'web')).stdout;
  assert.equal(after, blocks);
  assert.ok(!after.includes('d.img'));
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(root.leftovers(), []);
});

test('a guest that releases nothing is reported in time, and a release that comes later is noticed', async (t) => {
  const root = lab(t);
  root.add('web', 'MACHINE=pc\nNIC1=virtio,net=user\n');
  root.write('etc/qemu/b.img', new Uint8Array(1024 ** 2));
  await root.ok('start', 'web');
  edit(root, 'web', { DSK2: 'b.img' });
  await root.ok('reload', 'web');
  // A boot sector without drivers never answers.
  edit(root, 'web', { DSK2: '', NIC1: '' });
  const given = root.spawn('qemu-init', ['reload', 'web']);
  await until('it waits for the guest', () => isAsked(root, 'web'));
  given.child.kill('SIGINT');
  const { code, stderr } = await given.result;
  assert.deepEqual(
    [code, /^web: Interrupted: the guest of "web" was asked to release (DSK2, NIC1|NIC1, DSK2),/.test(stderr)],
    [130, true],
    stderr,
  );
  const began = Date.now();
  const late = await root.init('reload', 'web', '--timeout', '1');
  assert.ok(Date.now() - began < 10_000);
  assert.equal(late.code, 1, late.stderr);
  assert.match(late.stderr, /has not released (DSK2, NIC1|NIC1, DSK2) within 1 s/);
  assert.match(JSON.stringify((await root.one('status', 'web'))['problems']), /DSK2 is being detached since 20/);
  edit(root, 'web', { DSK2: 'b.img', NIC1: 'virtio,net=user' });
  const back = await root.init('reload', 'web');
  assert.deepEqual(
    [back.code, back.stderr.match(/was asked to release (?:DSK2|NIC1) at 20/g)?.length],
    [0, 2],
    back.stderr,
  );
  edit(root, 'web', { DSK2: '', NIC1: '' });
  // The reset takes the place of a guest that lets go: QEMU then unplugs what was asked for.
  await root.ok('reset', 'web');
  assert.match((await root.init('status', 'web')).stderr, /has released (DSK2, NIC1|NIC1, DSK2) in the meantime/);
  const nodes = (await root.cmd('-q', 'query-named-block-nodes', 'web')).stdout;
  assert.ok(!nodes.includes('dsk2'), nodes);
  assert.ok(!(await root.cmd('-c', 'info network', 'web')).stdout.includes('net0'));
  assert.deepEqual((await root.one('diff', 'web'))['differences'], []);
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(root.leftovers(), []);
});

test('devices are attached for the moment, or for good, and detached again', async (t) => {
  const root = lab(t);
  const path = root.add('web', 'MACHINE=pc\nCDR1=empty\n# the console\nSTOPDELAY=3 # seconds\n');
  for (const name of ['b.img', 'c.img']) root.write(`etc/qemu/${name}`, new Uint8Array(1024 ** 2));
  await root.ok('start', 'web');
  const before = readFileSync(path, 'utf8');
  assert.deepEqual((await root.one('attach', 'web', 'DSK2=b.img', 'CDR1=c.img'))['applied'], ['DSK2', 'CDR1']);
  assert.equal(readFileSync(path, 'utf8'), before);
  assert.match(await root.ok('diff', 'web'), /^web: DSK2: \S+b\.img -> none \(live\)$/m);
  for (const [args, message] of [
    [['DSK2=c.img'], /has another DSK2 already/],
    [['DSK3=missing.img'], /DSK3 .* does not exist/],
    [['DSK3=c.img,if=sata'], /Cannot change DSK3/],
    [['RAM=4G'], /"RAM" is not a device/],
    [['dsk3=c.img'], /"dsk3" is not a device .*\n {2}hint: did you mean "DSK3"\?/],
    [['DSK3='], /DSK3 has no value/],
    [['DSK3'], /"DSK3" is not KEY=VALUE/],
  ] as const) {
    const refused = await root.init('attach', 'web', ...args);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, message);
  }
  await root.ok('attach', 'web', 'DSK3=d.img', '--persist').catch(() => undefined);
  assert.equal(readFileSync(path, 'utf8'), before, 'a file with a gap is refused before anything is done');

  const saved = await root.init('save', 'web');
  assert.equal(saved.code, 1);
  assert.match(saved.stderr, /DSK2 came or went since its start/);
  await root.ok('attach', 'web', 'DSK2=b.img', '--persist');
  assert.equal(readFileSync(path, 'utf8'), `${before}DSK2=b.img\n`);
  assert.equal((await root.init('detach', 'web', 'DSK7')).code, 1);
  assert.equal((await root.init('detach', 'web', 'DSK2', '--persist', '--timeout', '0.3')).code, 1);
  assert.match(readFileSync(path, 'utf8'), /DSK2/, 'it is in the file as long as it is in the machine');
  await root.ok('reset', 'web');
  await root.ok('detach', 'web', 'DSK2', '--persist');
  assert.equal(readFileSync(path, 'utf8'), before);
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(root.leftovers(), []);
});

test('a disk that a job of another program works on stays where it is until that ends', async (t) => {
  const root = lab(t);
  root.add('web', 'DSK2=b.img,if=scsi\n');
  for (const name of ['b.img', 'copy.img']) root.write(`etc/qemu/${name}`, new Uint8Array(1024 ** 2));
  await root.ok('start', 'web');
  const copy = `${root.etcDir}/copy.img`;
  for (const words of [
    ['blockdev-add', 'driver=raw', 'node-name=copy', 'file.driver=file', `file.filename=${copy}`],
    ['blockdev-mirror', 'device=dsk2-fmt', 'job-id=mine', 'target=copy', 'sync=full'],
  ]) {
    const { code, stderr } = await root.cmd('-q', ...words, 'web');
    assert.equal(code, 0, stderr);
  }
  for (const args of [
    ['detach', 'web', 'DSK2'],
    ['detach', 'web', 'DSK2', '--persist'],
  ]) {
    const refused = await root.init(...args);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /Cannot take DSK2 out of "web": job "mine" is at work on it\n {2}hint: nothing was done/,
    );
  }
  assert.deepEqual((await root.one('diff', 'web'))['differences'], []);
  assert.match((await root.cmd('-c', 'info qtree', 'web')).stdout, /id "dsk2-dev"/);
  await root.ok('jobs', 'cancel', 'web', 'mine');
  await root.ok('detach', 'web', 'DSK2');
  await root.ok('reload', 'web');
  assert.deepEqual((await root.one('diff', 'web'))['differences'], []);
  await root.ok('stop', 'web', '--force');
});

test('a device that comes while a save is about to begin prevents it: the state would not fit', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/b.img', new Uint8Array(1024 ** 2));
  root.add('web', 'PRESTOP=/usr/bin/timeout 60 /bin/sh -c "touch begun; while [ ! -e plugged ]; do sleep 0.1; done"\n');
  await root.ok('start', 'web');
  const saving = root.spawn('qemu-init', ['save', 'web']);
  await until('it is about to begin', () => existsSync(join(root.etcDir, 'begun')));
  await root.ok('attach', 'web', 'DSK2=b.img');
  root.write('etc/qemu/plugged', '');
  const { code, stderr } = await saving.result;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /DSK2 came or went since its start\n +hint: it goes on as before/);
  assert.equal(await root.state('web'), 'running');
  await root.ok('kill', 'web');
  assert.deepEqual(root.leftovers(), []);
});

test('after a command that was killed before any of its steps the next reload makes the machine what its file says', async (t) => {
  const root = lab(t);
  root.add('web', 'MACHINE=q35\n');
  root.write('etc/qemu/b.img', new Uint8Array(1024 ** 2));
  await root.ok('start', 'web');
  const coming = ['/plugged.json', 'blockdev-add', 'object-add', 'device_add', 'netdev_add'];
  const leaving = ['device_del', 'blockdev-del', 'object-del', 'netdev_del'];
  const stepOf = (what: string): string => (what.startsWith('/') ? what : `send {"execute":"${what}"`);
  for (const [round, step] of coming.entries()) {
    edit(root, 'web', { DSK2: 'b.img,iothread=on', NIC1: 'virtio,net=user' });
    await killBefore(root, stepOf(step), ['reload', 'web']);
    await root.ok('reload', 'web');
    assert.deepEqual((await root.one('diff', 'web'))['differences'], [], step);
    assert.match((await root.cmd('-c', 'info network', 'web')).stdout, /nic1: .*\n \\ net0: /);
    edit(root, 'web', { DSK2: '', NIC1: '' });
    const end = leaving[round % leaving.length] ?? '';
    if (end === 'device_del') await killBefore(root, stepOf(end), ['reload', 'web']);
    else await killWaiting(root);
    assert.equal((await root.init('reload', 'web', '--timeout', '0.2')).code, 1);
    await root.ok('reset', 'web');
    if (end !== 'device_del') await killBefore(root, stepOf(end), ['reload', 'web']);
    await root.ok('reload', 'web');
    const left = [
      (await root.cmd('-q', 'qom-list', 'path=/objects', 'web')).stdout,
      (await root.cmd('-q', 'query-named-block-nodes', 'web')).stdout,
      (await root.cmd('-c', 'info network', 'web')).stdout,
    ].join('');
    assert.doesNotMatch(left, /dsk2|net0/, end);
  }
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(root.leftovers(), []);
});

/** A reload that is killed while it waits for the guest. */
async function killWaiting(root: Lab): Promise<void> {
  const waiting = root.spawn('qemu-init', ['reload', 'web']);
  await until('it waits for the guest', () => isAsked(root, 'web'));
  waiting.child.kill('SIGKILL');
  await waiting.result;
}

test('a guest that stands still is not waited for, and nothing is done', async (t) => {
  const root = lab(t);
  root.add('web', 'MACHINE=q35\n');
  root.write('etc/qemu/b.img', new Uint8Array(1024 ** 2));
  await root.ok('start', 'web');
  await root.ok('attach', 'web', 'DSK2=b.img');
  await root.ok('pause', 'web');
  const { code, stderr } = await root.init('detach', 'web', 'DSK2', '--timeout', '600');
  assert.equal(code, 1);
  assert.match(stderr, /Cannot take DSK2 out of "web": its guest has to release it, and is paused\n.*resume web/);
  assert.ok(!isAsked(root, 'web'));
  await root.ok('stop', 'web', '--force');
});

test('the image of a machine that does not run is attached with a warning, and that of one that runs is not', async (t) => {
  const root = lab(t);
  root.add('web', 'MACHINE=q35\n');
  root.add('db');
  await root.ok('start', 'web');
  const { code, stderr } = await root.init('attach', 'web', 'DSK2=db.img');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /web: warning: DSK2 ".*db\.img" is also a disk of machine "db", which does not run/);
  await root.ok('stop', 'web', '--force');
  for (const name of ['db', 'web']) await root.ok('start', name);
  const refused = await root.init('attach', 'web', 'DSK2=db.img');
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /DSK2 .*db\.img/);
  for (const name of ['db', 'web']) await root.ok('stop', name, '--force');
});

/** Whether the guest was asked to release its second disk. */
function isAsked(root: Lab, name: string): boolean {
  return readFileSync(root.file(name, 'plugged.json'), 'utf8').includes('"DSK2": "');
}
