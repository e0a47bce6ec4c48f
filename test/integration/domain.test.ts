import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Domain, Fleet, QemuError, resolvePaths } from '../../src/index.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { type Cleanup, type TempRoot, tempRoot } from '../support/temp-root.ts';

const DISK_BYTES = 4 * 1024 * 1024;

interface Running {
  readonly root: TempRoot;
  readonly fleet: Fleet;
  readonly domain: Domain;
  readonly disk: string;
}

/** A machine with a qcow2 disk behind the one that it boots from, and its domain. */
async function running(t: Cleanup): Promise<Running> {
  const root = tempRoot(t);
  const disk = join(root.etcDir, 'data.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, String(DISK_BYTES)]);
  guestDisk(root.etcDir, { name: 'boot.img' });
  root.write(
    'etc/qemu/web-qemu.cfg',
    'RAM=32M\nKVM=off\nDSK1=boot.img\nDSK2=data.qcow2\nNIC1=virtio-net-pci,net=none\n',
  );
  root.write('etc/qemu/qemu-init.reg', 'web=web\n');
  const fleet = new Fleet(resolvePaths({ root: root.dir }, {}, 0, '/'));
  const target = fleet.get('web');
  await fleet.start(target);
  const domain = await fleet.domain(target);
  t.after(async () => {
    await domain.close();
    await fleet.kill(target);
  });
  return { root, fleet, domain, disk };
}

/** Writes a pattern to the guest's second disk as the guest's own writes arrive there. */
async function write(domain: Domain, pattern: number, offset: string): Promise<void> {
  assert.equal(await domain.client.hmp(`qemu-io dsk2 "write -P ${pattern} ${offset} 64k"`), '');
}

function assertPattern(file: string, format: string, pattern: number, offset: string): void {
  const command = `read -P ${pattern} ${offset} 64k`;
  const text = execFileSync('qemu-io', ['-r', '-f', format, '-c', command, file], { encoding: 'utf8' });
  assert.doesNotMatch(text, /Pattern verification failed/);
}

test('a Domain tells version, status, processors, drives, counters and PCI devices', async (t) => {
  const { domain } = await running(t);
  assert.match(domain.version(), /^\d+\.\d+\.\d+$/);
  assert.equal(typeof domain.packageVersion(), 'string');
  assert.equal(await domain.status(), 'running');
  assert.equal(await domain.supported('query-status'), true);
  assert.equal(await domain.supported('no-such-command'), false);
  assert.ok((await domain.commands()).length > 100);
  const [cpu] = await domain.cpus();
  assert.equal(cpu?.index, 0);
  assert.ok(cpu !== undefined && cpu.threadId > 0);
  const drives = await domain.blockDevices();
  assert.deepEqual(
    drives.map(({ device }) => device),
    ['dsk1', 'dsk2'],
  );
  assert.equal((await domain.blockDevice('dsk2-dev')).device, 'dsk2');
  assert.equal((await domain.blockStats()).find(({ device }) => device === 'dsk1')?.device, 'dsk1');
  const devices = await domain.pciDevices();
  assert.equal(devices.find(({ qdevId }) => qdevId === 'nic1')?.slot, 8);
  assert.deepEqual(await domain.blockJobs(), []);
  await assert.rejects(domain.blockDevice('nope'), { code: 'QEMU_MACHINE_UNKNOWN' });
});

test('a screen dump is a picture, and leaves no file behind', async (t) => {
  const { domain } = await running(t);
  const picture = await domain.screenDump('png');
  assert.deepEqual(picture.subarray(1, 4).toString(), 'PNG');
  assert.equal((await domain.screenDump('ppm')).subarray(0, 2).toString(), 'P6');
});

test('snapshot, write, commit: what was written before and after is in the image below', async (t) => {
  const { domain, disk, root, fleet } = await running(t);
  const overlay = join(root.etcDir, 'overlay.qcow2');
  await write(domain, 1, '0');
  await (await domain.blockDevice('dsk2')).snapshot(overlay, 'snap1');
  await write(domain, 2, '1M');
  assert.equal((await domain.blockDevice('dsk2')).inserted?.file, overlay);
  const job = await (await domain.blockDevice('dsk2')).commit('c1', { timeoutMs: 60_000 });
  assert.equal((await domain.blockJobs())[0]?.id, 'c1');
  await job.complete({ timeoutMs: 60_000 });
  assert.equal((await domain.blockDevice('dsk2')).inserted?.file, disk);
  await domain.close();
  await fleet.stop(fleet.get('web'), { force: true });
  execFileSync('qemu-img', ['check', '-q', disk]);
  assertPattern(disk, 'qcow2', 1, '0');
  assertPattern(disk, 'qcow2', 2, '1M');
});

test('mirror, complete: the drive goes on in an equal copy', async (t) => {
  const { domain, disk, root, fleet } = await running(t);
  const copy = join(root.etcDir, 'copy.raw');
  await write(domain, 3, '0');
  const job = await (await domain.blockDevice('dsk2')).mirror(copy, 'm1', { timeoutMs: 60_000 });
  await job.complete({ timeoutMs: 60_000 });
  assert.equal((await domain.blockDevice('dsk2')).inserted?.file, copy);
  await domain.close();
  await fleet.stop(fleet.get('web'), { force: true });
  execFileSync('qemu-img', ['compare', '-q', disk, copy]);
  assertPattern(copy, 'raw', 3, '0');
});

test('a mirror that is ready leaves a complete copy when it is cancelled', async (t) => {
  const { domain, root } = await running(t);
  const copy = join(root.etcDir, 'copy.raw');
  await write(domain, 4, '0');
  const job = await (await domain.blockDevice('dsk2')).mirror(copy, 'm2', { timeoutMs: 60_000 });
  await job.cancel({ timeoutMs: 60_000 });
  assert.notEqual((await domain.blockDevice('dsk2')).inserted?.file, copy);
  assertPattern(copy, 'raw', 4, '0');
});

test('commit of an inner layer ends without waiting for a readiness that never comes', async (t) => {
  const { domain, root } = await running(t);
  await (await domain.blockDevice('dsk2')).snapshot(join(root.etcDir, 'o1.qcow2'), 'layer1');
  await write(domain, 5, '0');
  await (await domain.blockDevice('dsk2')).snapshot(join(root.etcDir, 'o2.qcow2'), 'layer2');
  const job = await (await domain.blockDevice('dsk2')).commit('c2', { topNode: 'layer1', timeoutMs: 60_000 });
  assert.equal(job.ready, false);
  assert.deepEqual(await domain.blockJobs(), []);
});

test('a relative mirror target is refused before anything is sent', async (t) => {
  const { domain } = await running(t);
  const device = await domain.blockDevice('dsk2');
  await assert.rejects(device.mirror('copy.raw', 'm3'), { code: 'QEMU_USAGE' });
  assert.equal(existsSync('copy.raw'), false);
});

test('a job that ends with an error is a failure', async (t) => {
  const { domain, root } = await running(t);
  const device = await domain.blockDevice('dsk2');
  const tooSmall = join(root.etcDir, 'small.raw');
  execFileSync('qemu-img', ['create', '-q', '-f', 'raw', tooSmall, '64k']);
  // What mirror() itself never sends: an existing target that does not fit.
  const { startJob } = await import('../../src/domain/job-events.ts');
  const args = { device: device.inserted?.nodeName, target: tooSmall, sync: 'full', mode: 'existing', format: 'raw' };
  await assert.rejects(startJob(domain, 'm4', 'drive-mirror', args, { timeoutMs: 60_000 }), (error) => {
    assert.ok(error instanceof QemuError);
    return error.code === 'QEMU_COMMAND_FAILED' || error.code === 'QEMU_QMP_REFUSED';
  });
});
