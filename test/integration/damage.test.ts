import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type JsonObject, type Lab, lab } from '../support/lab.ts';

/** The machine runs, is found, commanded and stopped, and leaves nothing. */
async function assertServed(root: Lab, started: JsonObject, about: string): Promise<void> {
  const status = await root.one('status', 'web');
  assert.equal(status['state'], 'running', about);
  assert.equal(status['pid'], started['pid'], about);
  assert.equal(status['slot'], started['slot'], about);
  assert.equal(status['monitorPort'], started['monitorPort'], about);
  const again = await root.one('start', 'web');
  assert.deepEqual([again['outcome'], again['pid']], ['already-running', started['pid']], about);
  assert.match((await root.cmd('-c', 'info status', 'web')).stdout, /running/, about);
  await root.ok('wait', 'web', '--for', 'console=ready');
  const stopped = await root.one('stop', 'web');
  assert.equal(stopped['rung'], 'powerdown', about);
  // A slot whose file says nothing is nobody's, and is taken by the next who comes.
  assert.deepEqual(
    root.leftovers().filter((name) => about !== 'slots' || !name.startsWith('.slots/')),
    [],
    about,
  );
}

test('a QEMU that was killed is dead with exit 1, and start cleans up and works', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web');
  const started = await root.one('start', 'web');
  process.kill(Number(started['pid']), 'SIGKILL');
  await root.ok('wait', 'web', '--for', 'stopped');
  const status = await root.init('status', 'web', '--json');
  assert.equal(status.code, 1);
  const [{ state, lastEnd }] = JSON.parse(status.stdout);
  assert.equal(state, 'dead');
  // It has told nobody when, and looking is no end.
  assert.deepEqual(lastEnd, { cause: 'killed', at: null, exit: null, lastReset: null, crash: null });
  assert.equal((await root.cmd('-c', 'info status', 'web')).code, 7);
  const again = await root.one('start', 'web');
  assert.equal(again['outcome'], 'started');
  assert.equal(again['slot'], started['slot'], 'it has its slot again');
  await root.ok('wait', 'web', '--for', 'console=ready');
  process.kill(Number(again['pid']), 'SIGKILL');
  await root.ok('wait', 'web', '--for', 'stopped');
  // A stop cleans up too, and is no failure.
  assert.equal((await root.one('stop', 'web'))['outcome'], 'not-running');
  const noted = Object((await root.one('status', 'web'))['lastEnd']);
  assert.equal(noted.cause, 'killed');
  assert.ok(!Number.isNaN(Date.parse(noted.at)));
  assert.deepEqual((await root.one('status', 'web'))['lastEnd'], noted);
  assert.match(readFileSync(join(noted.crash, 'console'), 'utf8'), /ready/);
  assert.equal(readdirSync(join(noted.crash, '..')).length, 2, 'something is kept of both runs');
  assert.ok((await root.init('status', 'web')).stderr.includes(`what it printed last is in "${noted.crash}"`));
  assert.deepEqual(root.leftovers(), []);
  assert.equal((await root.init('status', 'web')).code, 3);
});

test('a guest that powers itself off is stopped, not dead', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web', '', { poweroffAfterBanner: true });
  await root.ok('start', 'web', '--paused');
  await root.ok('resume', 'web');
  await root.ok('wait', 'web', '--for', 'stopped');
  const status = await root.init('status', 'web', '--json');
  assert.equal(status.code, 3);
  assert.equal(JSON.parse(status.stdout)[0].state, 'stopped');
  await root.ok('stop', 'web');
  assert.deepEqual(root.leftovers(), []);
});

for (const [name, damage] of Object.entries({
  missing: (path: string) => rmSync(path),
  empty: (path: string) => truncateSync(path, 0),
  'cut in half': (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2)),
  garbage: (path: string) => writeFileSync(path, Buffer.from([0, 255, 10, 123, 34])),
  'of another shape': (path: string) => writeFileSync(path, '[{"pid":1}]\n'),
})) {
  test(`a run-time file that is ${name} costs nothing: record, pid file, slots`, async (t) => {
    const root = lab(t);
    root.ownPorts();
    root.add('web');
    for (const parts of [['machine.json'], ['qemu', 'pid']]) {
      const started = await root.one('start', 'web');
      damage(root.file('web', ...parts));
      await assertServed(root, started, parts.join('/'));
    }
    const started = await root.one('start', 'web');
    damage(join(root.runDir, '.slots', String(started['slot'])));
    damage(join(root.stateDir, 'slots.json'));
    root.add('other');
    const other = await root.one('start', 'other');
    assert.notEqual(other['slot'], started['slot']);
    await root.ok('kill', 'other');
    await assertServed(root, started, 'slots');
  });
}

test('both the record and the pid file are lost: the machine is found by its process', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web');
  const started = await root.one('start', 'web');
  truncateSync(root.file('web', 'machine.json'), 0);
  truncateSync(root.file('web', 'qemu', 'pid'), 0);
  await assertServed(root, started, 'both');
});

test('a running machine whose file and record are lost is looked at and stopped all the same', async (t) => {
  const root = lab(t);
  const config = root.add('web', 'STOPDELAY=30\n');
  root.write('etc/qemu/qemu-init.reg', '');
  const { pid } = await root.one('start', config);
  await root.ok('wait', 'web', '--for', 'console=ready');
  for (const lost of [config, join(root.runDir, 'web/machine.json')]) rmSync(lost);
  assert.equal((await root.one('status', 'web'))['pid'], pid);
  assert.equal((await root.one('stop', 'web'))['rung'], 'powerdown');
  assert.equal((await root.init('status', 'web')).code, 6);
});

test('damaged MAC leases and slots are no obstacle, and the machine keeps its address', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web', 'NIC1=virtio-net-pci,net=user\n');
  const mac = /mac=([^,]+)/.exec(await root.ok('showcmd', 'web'))?.[1];
  for (const text of ['', '{"machines":{', '[{"web":7}]', '{"machines":{"web":{"1":5}}}']) {
    root.write('var/lib/qemu-init/macs.json', text);
    root.write('var/lib/qemu-init/slots.json', text);
    await root.ok('start', 'web');
    assert.equal(/mac=([^,]+)/.exec(await root.ok('showcmd', 'web'))?.[1], mac, text);
    await root.ok('kill', 'web');
  }
});

test('a foreign process under the recorded pid is neither taken for the machine nor harmed', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web');
  const foreign = spawn('sleep', ['600']);
  t.after(() => {
    foreign.kill('SIGKILL');
  });
  await once(foreign, 'spawn');
  const started = await root.one('start', 'web');
  const record = JSON.parse(readFileSync(root.file('web', 'machine.json'), 'utf8'));
  process.kill(Number(started['pid']), 'SIGKILL');
  await root.ok('wait', 'web', '--for', 'stopped');
  const forge = (): void => {
    root.write('run/qemu-init/web/machine.json', JSON.stringify({ ...record, pid: foreign.pid }));
    root.write('run/qemu-init/web/qemu/pid', `${foreign.pid}\n`);
  };
  forge();
  assert.equal(await root.state('web'), 'dead');
  assert.equal((await root.one('stop', 'web'))['rung'], 'none');
  forge();
  assert.equal((await root.one('kill', 'web'))['rung'], 'none');
  forge();
  assert.equal((await root.one('start', 'web'))['outcome'], 'started');
  assert.equal(foreign.exitCode, null);
  assert.equal(foreign.signalCode, null);
  await root.ok('kill', 'web');
});

test('locks of every kind that dead commands left are taken over at once', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web', 'NIC1=virtio-net-pci,net=user\n');
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
  const holders = ['holder.999999.1.00000000', `holder.${process.pid}.1.${boot}`, 'holder.1', ''];
  for (const holder of holders) {
    for (const lock of ['.registry.lock', '.slots.lock', '.leases.lock', 'web/lock', 'web/control.lock']) {
      mkdirSync(join(root.runDir, lock), { recursive: true });
      if (holder !== '') writeFileSync(join(root.runDir, lock, holder), 'start');
    }
    rmSync(join(root.stateDir, 'macs.json'), { force: true });
    const started = await root.init('start', 'web');
    assert.equal(started.code, 0, started.stderr);
    assert.doesNotMatch(started.stderr, /waiting/);
    assert.equal((await root.cmd('-c', 'info status', 'web')).code, 0);
    await root.ok('kill', 'web');
    await root.ok('unregister', 'web');
    await root.ok('register', 'web');
  }
  rmSync(join(root.runDir, '.registry.lock'), { recursive: true, force: true });
  assert.deepEqual(root.leftovers(), []);
});

test('a lock that is a file, and a run-time folder full of rubbish, stop nobody', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web');
  root.write('run/qemu-init/web/lock', 'rubbish');
  root.write('run/qemu-init/web/machine.json', '{"phase":"running"}');
  root.write('run/qemu-init/web/qemu/qmp.sock', 'a file where a socket should be');
  root.write('run/qemu-init/web/qemu/pid', '-1\n');
  root.write('run/qemu-init/.slots/0', 'nobody 1 1\n');
  root.write('run/qemu-init/.slots/x', 'rubbish');
  const status = await root.init('status', 'web');
  assert.notEqual(status.code, 0);
  const started = await root.init('start', 'web');
  assert.equal(started.code, 0, started.stderr);
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('stop', 'web');
});

test('a FIFO in the place of the record keeps no machine from being looked at, started and stopped', async (t) => {
  const root = lab(t);
  root.add('web');
  root.write('run/qemu-init/web/.there', '');
  execFileSync('mkfifo', [join(root.runDir, 'web/machine.json')]);
  assert.equal((await root.init('status', 'web')).code, 3);
  await root.ok('start', 'web');
  assert.equal((await root.one('status', 'web'))['state'], 'running');
  await root.ok('kill', 'web');
});

test('the whole run-time folder is lost while a machine runs: it is found, asked and stopped over its ports', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web');
  const started = await root.one('start', 'web');
  rmSync(root.runDir, { recursive: true });
  const again = await root.one('start', 'web');
  for (const key of ['pid', 'slot', 'monitorPort']) assert.equal(again[key], started[key], key);
  assert.equal(again['outcome'], 'already-running');
  rmSync(root.runDir, { recursive: true });
  // Its own socket went with the folder, and the keys of its ports.
  assert.equal(await root.state('web'), 'running');
  assert.match((await root.cmd('-c', 'info status', 'web')).stdout, /running/);
  await root.ok('pause', 'web');
  await root.ok('resume', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  // A shutdown of the host stops what runs, registered or not.
  root.write('etc/qemu/qemu-init.reg', '');
  rmSync(root.runDir, { recursive: true });
  const stopped = await root.init('stop', '--all', '--json');
  assert.equal(JSON.parse(stopped.stdout)[0].rung, 'powerdown', stopped.stderr);
  assert.match(stopped.stderr, /web: reached over its control port \d+ of \S+ \(own socket: missing/);
  assert.deepEqual(root.leftovers(), []);
  assert.deepEqual(
    readdirSync(root.stateDir).filter((name) => name === '.runs'),
    [],
    'nor the copies',
  );
});

test('what a machine has lost with its run-time folder is told by every command that meets it', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web', 'VNC=unix\n');
  await root.ok('start', 'web');
  assert.deepEqual((await root.one('status', 'web'))['problems'], []);
  rmSync(root.file('web'), { recursive: true });
  const lost = /its sockets in ".*" are gone, because the run-time folder was cleared while it was running/;
  const again = await root.init('start', 'web');
  assert.deepEqual([again.code, lost.test(again.stderr)], [0, true], again.stderr);
  const [problem, ...more] = (await root.one('status', 'web'))['problems'] as string[];
  assert.match(String(problem), lost);
  assert.deepEqual(more, []);
  for (const action of ['console', 'vnc']) {
    const result = await root.init(action, 'web');
    assert.equal(result.code, 1, action);
    assert.match(result.stderr, lost, action);
    assert.match(result.stderr, /hint: a restart recreates them: qemu-init restart web/, action);
    assert.doesNotMatch(result.stderr, /ENOENT/, action);
  }
  await root.ok('kill', 'web');
});

test('a socket path over 107 bytes is said before anything is started', async (t) => {
  const root = lab(t);
  root.ownPorts();
  const long = 'x'.repeat(40);
  root.write(`etc/qemu/${long}-qemu.cfg`, 'RAM=8M\nKVM=off\n');
  const deep = join(root.dir, 'a/quite/deep/folder/for/so/long/a/name');
  const result = await root.run('qemu-init', ['--root', deep, 'start', join(root.etcDir, `${long}-qemu.cfg`)]);
  assert.equal(result.code, 6, result.stderr);
  assert.match(result.stderr, /console\.sock" has 1\d\d bytes; at most 107 are allowed/);
  assert.deepEqual(root.qemus(), []);
});

test('a QEMU that does not come up: its own words, exit 1, and nothing is left', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web', '[custom]\n-device virtio-net-pci,netdev=nothing\n');
  const failed = await root.init('start', 'web', '--json');
  assert.equal(failed.code, 1);
  const [{ outcome, error }] = JSON.parse(failed.stdout);
  assert.deepEqual([outcome, error.code], ['failed', 'QEMU_LAUNCH_FAILED']);
  assert.match(error.message, /ended with exit status 1: .*can't find value 'nothing'/);
  assert.match(readFileSync(join(root.logDir, 'web.log'), 'utf8'), /can't find value 'nothing'/);
  assert.deepEqual(root.leftovers(), []);
  const missing = await root.run('qemu-init', ['start', 'web'], { env: { PATH: '/nowhere' } });
  assert.equal(missing.code, 5);
  assert.match(missing.stderr, /apt install qemu-system-x86/);
});

test('a QEMU whose run-time folder was cleared away is still found, is not started twice, and can be stopped', async (t) => {
  const root = lab(t);
  const path = root.add('web', 'STOPDELAY=1\n');
  const started = await root.one('start', 'web');
  rmSync(root.file('web'), { recursive: true });
  const status = await root.one('status', 'web');
  assert.deepEqual([status['pid'], status['slot']], [started['pid'], started['slot']]);
  const again = await root.one('start', 'web');
  assert.deepEqual([again['outcome'], again['pid']], ['already-running', started['pid']]);
  assert.equal((await root.init('unregister', 'web')).code, 1);
  rmSync(root.file('web'), { recursive: true });
  assert.equal(root.qemus().length, 1);
  assert.equal((await root.one('kill', 'web'))['rung'], 'sigkill');
  assert.equal(root.qemus().length, 0);
  assert.equal((await root.init('status', path)).code, 3);
});

test('a machine that runs is started already, whatever has become of its file', async (t) => {
  const root = lab(t);
  const path = root.add('web');
  const started = await root.one('start', 'web');
  writeFileSync(path, 'FOO=1\n');
  const again = await root.one('start', 'web');
  assert.deepEqual([again['outcome'], again['pid']], ['already-running', started['pid']]);
  await root.ok('stop', 'web');
  assert.equal((await root.init('start', 'web')).code, 6);
});

test('a user who may not look into the run-time folder is told so, with exit 4', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const uid = process.getuid?.() === 0 ? 65534 : undefined;
  chmodSync(root.dir, 0o755);
  // Neither to be listed by its owner nor by others.
  chmodSync(join(root.dir, 'run/qemu-init'), 0o311);
  for (const args of [
    ['status', '--all'],
    ['stop', '--all'],
    ['kill', '--all'],
    ['security', '--all'],
  ]) {
    const { code, stderr } = await root.run('qemu-init', args, { uid });
    assert.equal(code, 4, `${args.join(' ')}: ${stderr}`);
    assert.doesNotMatch(stderr, /Internal error|\n {4}at /);
  }
  chmodSync(join(root.dir, 'run/qemu-init'), 0o711);
  await root.ok('stop', 'web');
});
