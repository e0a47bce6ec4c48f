import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseJson } from '../support/cli.ts';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { assertDocument } from '../support/documents.ts';
import { DEFAULT_BANNER } from '../support/guest-disk.ts';
import { lab } from '../support/lab.ts';

const NEWER = debian13Qemu();

test('a machine starts, is there, and goes down by the power button without a trace', async (t) => {
  const root = lab(t);
  root.add('web', 'VNC=on\n');
  const started = await root.one('start', 'web');
  assertDocument([started], 'start');
  assert.equal(started['outcome'], 'started');
  assert.equal(Number(started['controlPort']), Number(started['monitorPort']) + 100);

  const status = await root.one('status', 'web');
  assertDocument([status], 'status');
  assert.equal(status['state'], 'running');
  for (const key of ['pid', 'slot', 'monitorPort', 'controlPort']) assert.equal(status[key], started[key], key);
  assert.deepEqual(status['vnc'], started['vnc']);
  assert.deepEqual(root.qemus(), [started['pid']]);
  assert.equal((await root.init('status', 'web')).code, 0);

  const again = await root.json('start', 'web');
  assertDocument(again, 'start');
  assert.equal(again[0]?.['outcome'], 'already-running');
  assert.equal(again[0]?.['pid'], started['pid']);

  await root.ok('wait', 'web', '--for', `console=^${DEFAULT_BANNER}$`);
  const stopped = await root.json('stop', 'web');
  assertDocument(stopped, 'stop');
  assert.equal(stopped[0]?.['outcome'], 'stopped');
  assert.equal(stopped[0]?.['rung'], 'powerdown');
  assert.deepEqual(root.leftovers(), []);

  const over = await root.json('stop', 'web');
  assertDocument(over, 'stop');
  assert.deepEqual([over[0]?.['outcome'], over[0]?.['rung']], ['not-running', 'none']);
  const gone = await root.init('status', 'web', '--json');
  assert.equal(gone.code, 3);
  assertDocument(parseJson(gone), 'status');
  assert.deepEqual(root.leftovers(), []);
});

test('showcmd prints what runs: before the start, of the running machine, and as /proc has it', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web', 'VNC=on\nNIC1=virtio-net-pci,net=user\n[custom]\n-device virtio-keyboard-pci,id=keys\n');
  const before = await root.one('showcmd', 'web');
  assertDocument([before], 'showcmd');
  assert.ok(!existsSync(join(root.stateDir, 'macs.json')), 'looking changes nothing');
  const started = await root.one('start', 'web');
  const running = readFileSync(`/proc/${started['pid']}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
  const shown = await root.one('showcmd', 'web');
  assert.deepEqual([shown['binary'], ...(shown['args'] as string[])], running);
  assert.deepEqual([before['binary'], ...(before['args'] as string[])], running);

  // What is printed for people can be given to a shell as it is.
  const text = await root.ok('showcmd', 'web');
  const words = execFileSync('sh', ['-c', `printf '%s\\0' ${text}`], { encoding: 'utf8' });
  assert.deepEqual(words.replace(/\0$/, '').split('\0'), running);

  const explained = await root.one('explain', 'web');
  assertDocument([explained], 'explain');
  const options = explained['options'] as { args: string[]; key: string | null; line: number | null }[];
  assert.deepEqual(
    options.flatMap(({ args }) => args),
    running.slice(1),
  );
  const cfg = readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8').split('\n');
  const nic = options.find(({ key }) => key === 'NIC1');
  assert.match(cfg[Number(nic?.line) - 1] ?? '', /^NIC1=/);
  const custom = options.find(({ key }) => key === '[custom]');
  assert.match(cfg[Number(custom?.line) - 1] ?? '', /^-device virtio-keyboard-pci/);
  assert.match(await root.ok('explain', 'web'), /\nRAM \S+web-qemu\.cfg:1 +-m 8M\n/);
  await root.ok('stop', 'web');
});

test('a machine runs on the QEMU of Debian 13, too', { skip: NEWER.obstacle }, async (t) => {
  const root = lab(t);
  root.add('web', `TGTARCH=${NEWER.program}\nUSB=on\nSOUND=virtio\nCPU=x86-64-v3\nNIC1=virtio,net=user\n`);
  assert.equal((await root.init('check', '--try', 'web')).code, 0);
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  assert.equal((await root.one('status', 'web'))['state'], 'running');
  assert.equal((await root.one('stop', 'web'))['rung'], 'powerdown');
  assert.deepEqual(root.leftovers(), []);
});

test('restart, try-restart and force-reload stop and start, each in its own cases', async (t) => {
  const root = lab(t);
  root.add('web');
  root.add('db');
  // Nothing runs: try-restart and force-reload leave it so, restart starts.
  await root.ok('try-restart', 'web');
  await root.ok('force-reload', 'web');
  assert.deepEqual(root.qemus(), []);
  const first = await root.one('restart', 'web');
  assert.equal(first['rung'], 'none');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const second = await root.one('try-restart', '--all');
  assert.equal(second['rung'], 'powerdown');
  assert.notEqual(second['pid'], first['pid']);
  assert.deepEqual(root.qemus(), [second['pid']]);
  await root.ok('wait', 'web', '--for', 'console=ready');
  // Nothing has changed: there is nothing to restart for.
  await root.ok('force-reload', 'web');
  assert.deepEqual(root.qemus(), [second['pid']]);
  root.write('etc/qemu/web-qemu.cfg', readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8').replace('8M', '9M'));
  const [shown] = JSON.parse(await root.ok('showcmd', 'web', '--json'));
  const started = JSON.parse(readFileSync(root.file('web', 'launch.json'), 'utf8'));
  assert.deepEqual(
    started.args.map((arg: string) => arg.replace(/^8M$/, '9M')),
    shown.args,
  );
  assert.match(started.config, /^RAM=8M$/m);
  const refused = await root.init('reload', 'web');
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /RAM/);
  const third = await root.one('force-reload', 'web');
  assert.notEqual(third['pid'], second['pid']);
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('stop', '--all');
  assert.equal((await root.init('reload', 'web')).code, 7);
  assert.deepEqual(root.leftovers(), []);
});

test('reload changes the discs of a running machine and nothing else', async (t) => {
  const root = lab(t);
  const disc = root.write('etc/qemu/one.iso', new Uint8Array(4096));
  const path = root.add('web', 'CDR1=one.iso\nCDR2=empty\n');
  await root.ok('start', 'web');
  assert.match(await root.ok('reload', 'web'), /nothing to change/);
  root.write('etc/qemu/two, big.iso', new Uint8Array(8192));
  root.write(
    'etc/qemu/web-qemu.cfg',
    readFileSync(path, 'utf8').replace('one.iso', 'empty').replace('CDR2=empty', 'CDR2="two, big.iso"'),
  );
  const reloaded = await root.one('reload', 'web');
  assert.deepEqual(reloaded['applied'], ['CDR1', 'CDR2']);
  const blocks = (await root.cmd('-c', 'info block', 'web')).stdout;
  assert.ok(!blocks.includes(disc), blocks);
  assert.match(blocks, /two, big\.iso/);
  await root.ok('stop', 'web', '--force');
});

test('kill ends QEMU at once, and a machine that is not running is no failure', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const killed = await root.one('kill', 'web');
  assertDocument([killed], 'stop');
  assert.equal(killed['rung'], 'sigkill');
  assert.deepEqual(root.leftovers(), []);
  const nothing = await root.one('kill', 'web');
  assert.equal(nothing['rung'], 'none');
});

test('several machines: every one is tried, and the worst exit status wins', async (t) => {
  const root = lab(t);
  root.add('a');
  root.add('b', 'DSK1=missing.img\n');
  root.add('c', 'RAM=banana\n');
  const result = await root.init('start', 'a', 'b', 'nobody', 'c', '--json');
  assert.equal(result.code, 6);
  const document = parseJson(result) as { name: string; outcome: string; error?: { code: string } }[];
  assert.deepEqual(
    document.map(({ name, outcome, error }) => [name, outcome, error?.code]),
    [
      ['a', 'started', undefined],
      ['b', 'failed', 'QEMU_CONFIG_INVALID'],
      ['c', 'failed', 'QEMU_CONFIG_INVALID'],
      ['nobody', 'failed', 'QEMU_MACHINE_UNKNOWN'],
    ],
  );
  // A stop works whatever the state of the file.
  root.write('etc/qemu/a-qemu.cfg', 'RAM=banana\n');
  const stopped = await root.json('stop', '--all');
  assert.deepEqual(
    stopped.map(({ name, rung }) => [name, rung]),
    [
      ['a', 'powerdown'],
      ['b', 'none'],
      ['c', 'none'],
    ],
  );
  assert.deepEqual(root.leftovers(), []);
});

test('machines are named by short name, long name or path, each once, and run without being registered', async (t) => {
  const root = lab(t);
  const path = root.add('longname');
  root.write('etc/qemu/qemu-init.reg', 'short=longname\n');
  const started = await root.json('start', 'short', 'longname', path);
  assert.equal(started.length, 1);
  assert.equal((await root.init('unregister', 'short')).code, 1, 'not while it runs');
  root.write('etc/qemu/qemu-init.reg', '');
  // It is seen by those who look at everything, and can be stopped.
  const status = await root.one('status', '--all');
  assert.deepEqual([status['name'], status['shortName'], status['state']], ['longname', null, 'running']);
  await root.ok('wait', path, '--for', 'console=ready');
  await root.ok('stop', '--all');
  assert.deepEqual(root.leftovers(), []);
  assert.deepEqual(await root.json('status', '--all'), []);
});

test('a file that has the name of a machine that runs from another file is neither taken for it nor stopped', async (t) => {
  const root = lab(t);
  const path = root.add('web');
  const other = root.write('elsewhere/web-qemu.cfg', readFileSync(path, 'utf8'));
  root.write('etc/qemu/qemu-init.reg', '');
  const started = await root.one('start', path);
  for (const action of ['start', 'stop', 'kill', 'status']) {
    const refused = await root.init(action, other);
    assert.equal(refused.code, 6, action);
    assert.match(refused.stderr, /runs as "web"/);
  }
  symlinkSync(root.etcDir, join(root.dir, 'link'));
  const again = await root.one('start', join(root.dir, 'link/web-qemu.cfg'));
  assert.equal(again['pid'], started['pid']);
  // A file that was moved meanwhile is the machine's all the same.
  rmSync(path);
  assert.equal((await root.one('stop', other, '--force'))['rung'], 'quit');
});
