import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Domain, Fleet, type JobOptions, jobId, parseJobId, resolvePaths, TransientMachine } from '../../src/index.ts';
import { runCli } from '../support/cli.ts';
import { consoleText } from '../support/console-text.ts';
import { assertDocument } from '../support/documents.ts';
import { DEFAULT_BANNER, guestDisk } from '../support/guest-disk.ts';
import { type Cleanup, type TempRoot, tempDir, tempRoot } from '../support/temp-root.ts';

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
  await assert.rejects(domain.blockDevice('nope'), { code: 'QEMU_DEVICE_UNKNOWN' });
});

test('a screen dump is a picture, and leaves no file behind', async (t) => {
  const { domain } = await running(t);
  const picture = await domain.screenDump();
  assert.equal(picture.subarray(1, 4).toString(), 'PNG');
  assert.equal((await domain.screenDump({ format: 'ppm' })).subarray(0, 2).toString(), 'P6');
});

test('a QEMU that root has started as another user takes a picture too', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, async (t) => {
  // The scratch folder of the tests is for root alone.
  const open = mkdtempSync('/tmp/qi-');
  const before = process.env['TMPDIR'];
  t.after(() => {
    process.env['TMPDIR'] = before;
    if (before === undefined) delete process.env['TMPDIR'];
    rmSync(open, { recursive: true });
  });
  chmodSync(open, 0o755);
  const machine = new TransientMachine({
    wrapper: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'],
    args: ['-accel', 'tcg', '-nodefaults', '-m', '32', '-vga', 'std'],
  });
  t.after(() => machine.kill());
  await machine.launch();
  process.env['TMPDIR'] = open;
  const picture = await new Domain(machine.qmp, 'nobody').screenDump();
  assert.equal(picture.subarray(1, 4).toString(), 'PNG');
  assert.deepEqual(readdirSync(open), []);
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
  const job = await (await domain.blockDevice('dsk2')).mirror(copy, undefined, { timeoutMs: 60_000 });
  assert.match(job.id, /^qi\.mirror\.dsk2\.[0-9a-f]{8}$/);
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

test('a job is cancelled before it is ready, and one that is gone cannot be', async (t) => {
  const { domain, root } = await running(t);
  const device = await domain.blockDevice('dsk2');
  for (const offset of ['0', '1M', '2M', '3M']) await write(domain, 6, offset);
  // So slow, and in pieces so small, that it cannot get ready in the time of this test.
  await domain.run('drive-mirror', {
    device: device.inserted?.nodeName,
    'job-id': 'slow',
    target: join(root.etcDir, 'slow.raw'),
    sync: 'full',
    speed: 1,
    granularity: 65_536,
    'buf-size': 65_536,
  });
  const [job] = await domain.blockJobs();
  assert.deepEqual([job?.id, job?.ready, job?.type, job?.speed], ['slow', false, 'mirror', 1]);
  await assert.rejects(job?.complete() ?? Promise.resolve(), { code: 'QEMU_QMP_REFUSED' });
  await job?.cancel();
  assert.deepEqual(await domain.blockJobs(), []);
  await assert.rejects(job?.cancel() ?? Promise.resolve(), { code: 'QEMU_QMP_REFUSED', errorClass: 'DeviceNotActive' });
});

test('a job that its program has left behind is found by its id, followed, cancelled and settled', async (t) => {
  const { domain, root } = await running(t);
  const device = await domain.blockDevice('dsk2');
  for (const offset of ['0', '1M', '2M', '3M']) await write(domain, 8, offset);
  const mirror = (id: string, speed: number): Promise<unknown> =>
    domain.run('drive-mirror', {
      device: device.inserted?.nodeName,
      'job-id': id,
      target: join(root.etcDir, `${id}.raw`),
      sync: 'full',
      speed,
      granularity: 65_536,
      'buf-size': 65_536,
      'auto-dismiss': false,
    });
  const slow = jobId('mirror', 'dsk2', 'slow');
  await mirror(slow, 1);
  assert.deepEqual(
    (await domain.settleJobs()).map(({ job, outcome }) => [job.id, outcome]),
    [[slow, 'running']],
  );
  // The tool sees it too, beside the connection that is held here, and ends it.
  const tool = async (...words: string[]): Promise<readonly unknown[]> =>
    JSON.parse((await runCli('qemu-init', ['jobs', ...words, '--json'], { root: root.dir })).stdout);
  const listed = await tool();
  assertDocument(listed, 'jobs');
  const [row] = Object(listed[0]).jobs;
  assert.deepEqual([row.id, row.type, row.status, row.error], [slow, 'mirror', 'running', null]);
  const ended = await tool('cancel', 'web', slow);
  assertDocument(ended, 'job-change');
  assert.deepEqual(ended, [{ name: 'web', job: slow, outcome: 'cancelled' }]);
  assert.deepEqual(await tool('web'), [{ name: 'web', jobs: [] }]);
  assert.deepEqual(await tool('--all'), [{ name: 'web', jobs: [] }]);
  await mirror(slow, 1);
  const stop = new AbortController();
  const seen: string[] = [];
  const follow = async (): Promise<void> => {
    for await (const job of (await domain.job(slow)).progress({ signal: stop.signal })) {
      seen.push(job.status);
      stop.abort();
    }
  };
  await assert.rejects(follow(), { code: 'QEMU_ABORTED' });
  assert.deepEqual([seen, await domain.jobs()], [['running'], []]);

  const fast = jobId('mirror', 'dsk2', 'fast');
  await mirror(fast, 0);
  for await (const { done, total } of (await domain.job(fast)).progress({ intervalMs: 20 })) assert.ok(done <= total);
  assert.equal((await domain.job(fast)).status, 'ready');
  await domain.run('job-complete', { id: fast });
  // Nobody has listened: how it went is still to be asked.
  while (!(await domain.job(fast)).isOver);
  assert.deepEqual(
    (await domain.settleJobs()).map(({ job, outcome }) => [job.id, outcome]),
    [[fast, 'done']],
  );
  assert.deepEqual(await domain.jobs(), []);
  await assert.rejects(domain.job(fast), { code: 'QEMU_DEVICE_UNKNOWN' });
  assert.deepEqual(parseJobId(fast), { action: 'mirror', device: 'dsk2', word: 'fast' });
  assert.throws(() => jobId('mirror', 'dsk2', 'a:b'), { code: 'QEMU_USAGE' });
});

test('an abort ends the job only when that is wanted, and never that of another', async (t) => {
  const { domain, root } = await running(t);
  const nodeName = (await domain.blockDevice('dsk2')).inserted?.nodeName;
  for (const offset of ['0', '1M', '2M', '3M']) await write(domain, 6, offset);
  const { startJob } = await import('../../src/domain/job-events.ts');
  const slow = { device: nodeName, sync: 'full', speed: 1, granularity: 65_536, 'buf-size': 65_536 };
  const start = (name: string, options: JobOptions): Promise<unknown> => {
    const args = { ...slow, target: join(root.etcDir, name) };
    return startJob(domain, { jobId: 'slow', command: 'drive-mirror', args, options });
  };
  for (const cancelOnAbort of [true, false]) {
    const stop = new AbortController();
    const options = { signal: stop.signal, cancelOnAbort };
    const aborted = assert.rejects(start(`${cancelOnAbort}.raw`, options), { code: 'QEMU_ABORTED' });
    while ((await domain.jobs())[0]?.status !== 'running');
    stop.abort();
    await aborted;
    assert.equal((await domain.jobs()).length, cancelOnAbort ? 0 : 1);
  }
  const second = new AbortController();
  const refused = start('second.raw', { signal: second.signal, cancelOnAbort: true });
  second.abort();
  await assert.rejects(refused, { code: 'QEMU_QMP_REFUSED' });
  assert.equal((await domain.job('slow')).status, 'running');
});

test('a relative mirror target is refused before anything is sent', async (t) => {
  const { domain } = await running(t);
  const device = await domain.blockDevice('dsk2');
  await assert.rejects(device.mirror('copy.raw', 'm3'), { code: 'QEMU_USAGE' });
  assert.equal(existsSync('copy.raw'), false);
});

test('a copy for which there is no room is a failure, though QEMU calls the job completed', async (t) => {
  const { domain } = await running(t);
  const device = await domain.blockDevice('dsk2');
  await write(domain, 7, '0');
  const args = { driver: 'null-co', 'node-name': 'sink', size: DISK_BYTES, 'read-zeroes': true };
  const inject = { event: 'none', iotype: 'write', errno: 28 };
  await domain.run('blockdev-add', { driver: 'blkdebug', 'node-name': 'full', image: args, 'inject-error': [inject] });
  const { startJob } = await import('../../src/domain/job-events.ts');
  await assert.rejects(
    startJob(domain, {
      jobId: 'm4',
      command: 'blockdev-mirror',
      args: { device: device.inserted?.nodeName, target: 'full', sync: 'full' },
      options: { timeoutMs: 60_000 },
    }),
    { code: 'QEMU_COMMAND_FAILED', message: 'Job "m4" failed: No space left on device', reason: 'nospace' },
  );
  assert.deepEqual(await domain.jobs(), []);
});

test('a mirror to a place that is not there is refused, and leaves no job', async (t) => {
  const { domain, root } = await running(t);
  const device = await domain.blockDevice('dsk2');
  await assert.rejects(device.mirror(join(root.etcDir, 'no/such/folder.raw'), 'm5'), { code: 'QEMU_QMP_REFUSED' });
  assert.deepEqual(await domain.blockJobs(), []);
});

test('with -blockdev drives are known by id and node name, and devices behind bridges are seen', async (t) => {
  const disk = guestDisk(tempDir(t));
  const machine = new TransientMachine({
    args: [
      ...['-accel', 'tcg', '-nodefaults', '-m', '32', '-vga', 'std'],
      ...['-blockdev', `driver=file,node-name=file0,filename=${disk}`],
      ...['-blockdev', 'driver=raw,node-name=node0,file=file0'],
      ...['-device', 'pcie-root-port,id=port1,slot=1,chassis=1'],
      ...['-device', 'virtio-blk-pci,id=disk0,drive=node0,bus=port1'],
    ],
  });
  t.after(() => machine.kill());
  machine.setMachine('q35');
  machine.setConsole();
  await machine.launch();
  const domain = new Domain(machine.qmp, 'code');
  for (const name of ['disk0', 'node0']) assert.equal((await domain.blockDevice(name)).inserted?.file, disk);
  await consoleText(machine, DEFAULT_BANNER);
  const devices = await domain.pciDevices();
  const bridge = devices.findIndex(({ qdevId }) => qdevId === 'port1');
  assert.equal(devices[bridge + 1]?.qdevId, 'disk0');
  assert.ok((devices[bridge + 1]?.bus ?? 0) > 0, 'it is on the bus behind the bridge');
  assert.ok(devices[bridge + 1]?.regions.some(({ address }) => address !== undefined));
});
