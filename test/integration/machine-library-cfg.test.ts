import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fleet, LaunchError, type Machine, QmpClient, resolvePaths } from '../../src/index.ts';
import { readProcess } from '../../src/system/process/process.ts';
import { DEFAULT_BANNER, type GuestOptions, guestDisk } from '../support/guest-disk.ts';
import { type Lab, lab } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';

/** A machine "web" in a scratch root, as a program has it. */
function machineOf(t: Cleanup, lines = '', guest: GuestOptions = {}): { root: Lab; machine: Machine } {
  const root = lab(t);
  root.add('web', lines, guest);
  return { root, machine: open(root) };
}

function open(root: Lab): Machine {
  const fleet = new Fleet(resolvePaths({ root: root.dir }, {}, 0, '/'));
  return fleet.machine(fleet.get('web'));
}

test('a configured machine is launched, asked and shut down by a program as qemu-init does it', async (t) => {
  const { root, machine } = machineOf(t);
  assert.equal(machine.isRunning(), false);
  assert.equal(machine.args.length, 0);
  await assert.rejects(machine.command('query-status'), { code: 'QEMU_NOT_RUNNING' });
  const started = await machine.launch();
  assert.equal(started.outcome, 'started');
  assert.equal(machine.pid, started.pid);
  assert.deepEqual(await machine.command('query-name'), { name: 'web' });
  assert.ok(machine.args.includes('guest=web'));
  // The tools see the same machine, and are not in its way.
  assert.equal((await root.one('status', 'web'))['pid'], started.pid);
  assert.match((await root.cmd('-c', 'info status', 'web')).stdout, /running/);
  assert.throws(() => machine.addArgs('-x'), { code: 'QEMU_USAGE' });
  await root.ok('wait', 'web', '--for', 'console=.');
  const { rung } = await machine.shutdown({ graceful: true });
  assert.equal(rung, 'powerdown');
  assert.equal(machine.isRunning(), false);
  assert.equal(machine.exitCode, 0);
  assert.deepEqual(root.leftovers(), []);
  assert.equal((await machine.shutdown()).outcome, 'not-running');
});

test('its events are waited for, from now on or from an earlier point', async (t) => {
  const { machine } = machineOf(t);
  await machine.launch({ paused: true });
  const since = machine.qmp.eventCount;
  await machine.command('cont');
  await machine.command('stop');
  assert.equal((await machine.eventWait('STOP', undefined, { since })).event, 'STOP');
  await assert.rejects(machine.eventWait('STOP', undefined, { timeoutMs: 1 }), { code: 'QEMU_TIMEOUT' });
  assert.deepEqual(
    machine.getQmpEvents().map(({ event }) => event),
    ['RESUME', 'STOP'],
  );
  await machine.kill();
  assert.equal(machine.exitSignal, 'SIGKILL');
});

test('a guest that is deaf fails a graceful shutdown, and is ended all the same', async (t) => {
  const { root, machine } = machineOf(t, '', { deaf: true });
  await machine.launch();
  await root.ok('wait', 'web', '--for', 'console=.');
  await assert.rejects(machine.shutdown({ graceful: true, timeoutMs: 50 }), {
    code: 'QEMU_STOP_FAILED',
    message: /"quit" ended it/,
  });
  assert.equal(machine.isRunning(), false);
  await machine.launch();
  assert.equal((await machine.shutdown({ timeoutMs: 50 })).rung, 'quit');
  await machine.launch();
  assert.equal((await machine.shutdown({ hard: true })).rung, 'sigkill');
});

test('what a program changes holds for its launches, and the file stays as it is', async (t) => {
  const { root, machine } = machineOf(t);
  const before = readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8');
  const disk = guestDisk(root.dir, { name: 'extra.img' });
  const fd = openSync(disk, 'r');
  machine.setMachine('pc');
  machine.addArgs('-device', 'virtio-rng-pci,id=more');
  machine.addFd(fd, 7, 'extra');
  machine.addArgs('-drive', 'file=/dev/fdset/7,format=raw,if=virtio,readonly=on,id=extra');
  await machine.launch();
  closeSync(fd);
  assert.ok(machine.args.includes('virtio-rng-pci,id=more'));
  const sets = await machine.qmp.execute('query-fdsets');
  assert.deepEqual(
    sets.map((set) => set['fdset-id']),
    [7],
  );
  const machines = await machine.command('qom-get', { path: '/machine', property: 'type' });
  assert.match(String(machines), /^pc-i440fx/);
  await machine.kill();
  assert.equal(readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8'), before);
});

test('of two launches at once the second is refused, and the control port is held once', async (t) => {
  const { root, machine } = machineOf(t);
  const first = machine.launch();
  await assert.rejects(machine.launch(), { code: 'QEMU_USAGE' });
  await first;
  await machine.launch();
  assert.deepEqual(await machine.command('query-name'), { name: 'web' });
  assert.match((await root.cmd('-c', 'info status', 'web', '--timeout', '5')).stdout, /running/);
  await machine.kill();
});

test('a launch that fails has QEMU’s words, and its log afterwards', async (t) => {
  const { root, machine } = machineOf(t);
  machine.addArgs('-device', 'no-such-device');
  await assert.rejects(machine.launch(), (error) => {
    assert.ok(error instanceof LaunchError);
    assert.match(error.output, /no-such-device/);
    return true;
  });
  assert.match(machine.log, /no-such-device/);
  assert.equal(machine.exitCode, 1);
  assert.deepEqual(root.leftovers(), []);
});

test('without monitor ports it runs, is shut down, and takes no commands', async (t) => {
  const { machine } = machineOf(t);
  machine.setMonitor(false);
  const { monitorPort, controlPort } = await machine.launch();
  assert.deepEqual([monitorPort, controlPort], [undefined, undefined]);
  await assert.rejects(machine.command('query-status'), { code: 'QEMU_USAGE' });
  await machine.shutdown({ timeoutMs: 0 });
  assert.equal(machine.isRunning(), false);
});

test('a machine in the preconfig state is configured and then made', async (t) => {
  const { machine } = machineOf(t);
  await machine.launch({ preconfig: true });
  await machine.command('object-add', { 'qom-type': 'memory-backend-ram', id: 'early', size: 1024 * 1024 });
  await machine.exitPreconfig();
  assert.ok(Array.isArray(await machine.command('query-pci')));
  await machine.kill();
});

test('its console is a stream for as long as it is needed', async (t) => {
  const { root, machine } = machineOf(t, '', { echo: true });
  await machine.launch();
  await root.ok('wait', 'web', '--for', `console=${DEFAULT_BANNER}`);
  const answer = await machine.withConsole(async (stream) => {
    stream.write('abc');
    let text = '';
    for await (const chunk of stream) {
      text += String(chunk);
      if (text.includes('ABC')) break;
    }
    const second = open(root);
    await assert.rejects(
      second.withConsole(async () => {}),
      { code: 'QEMU_LOCKED' },
    );
    return text;
  });
  assert.match(answer, /ABC/);
  await machine.withConsole(async () => {});
  await machine.kill();
  await assert.rejects(
    machine.withConsole(async () => {}),
    { code: 'QEMU_NOT_RUNNING' },
  );
});

test('wait() never kills, and sees the end whoever brings it', async (t) => {
  const { root, machine } = machineOf(t);
  await machine.launch();
  assert.equal(await machine.wait({ timeoutMs: 1 }), false);
  const end = machine.wait({ timeoutMs: Infinity });
  await root.ok('kill', 'web');
  assert.equal(await end, true);
});

test('a dispose ends what was launched here, and leaves what was found running', async (t) => {
  const { machine, root } = machineOf(t);
  await machine.launch();
  const { pid = 0 } = machine;
  const guest = open(root);
  assert.equal((await guest.launch()).outcome, 'already-running');
  assert.deepEqual(await guest.command('query-name'), { name: 'web' });
  assert.equal(guest.exitCode, undefined);
  await guest[Symbol.asyncDispose]();
  assert.notEqual(readProcess(pid), undefined);
  await machine[Symbol.asyncDispose]();
  assert.equal(readProcess(pid), undefined);
  assert.deepEqual(root.leftovers(), []);
});

test('its own socket stays free while a program is connected', async (t) => {
  const { machine } = machineOf(t);
  await machine.launch();
  const client = await QmpClient.connect({ kind: 'unix', path: machine.target.files.qmpSocket });
  await client.close();
  await machine.kill();
});

test('a program moves its machine, or has it go on in a new QEMU, and is connected again while it runs here', async (t) => {
  const { root, machine } = machineOf(t);
  const { pid } = await machine.launch();
  await root.ok('wait', 'web', '--for', 'console=.');
  const { outcome, pid: after } = await machine.restartLive();
  assert.equal(outcome, 'restarted');
  assert.notEqual(after, pid);
  assert.equal(machine.pid, after);
  assert.deepEqual(await machine.command('query-name'), { name: 'web' });

  const other = lab(t);
  await assert.rejects(machine.migrate('elsewhere'), { code: 'QEMU_USAGE' });
  assert.deepEqual(await machine.command('query-name'), { name: 'web' }, 'it is connected after what failed');
  const moved = await machine.migrate(`root:${other.dir}`);
  assert.deepEqual([moved.outcome, moved.state], ['moved', 'running']);
  assert.equal(machine.isRunning(), false);
  await assert.rejects(machine.command('query-name'), { code: 'QEMU_NOT_RUNNING' });
  const there = open(other);
  await there.launch();
  assert.deepEqual(await there.command('query-name'), { name: 'web' });
  assert.equal((await there.shutdown({ hard: true })).rung, 'sigkill');
  assert.deepEqual([root.leftovers(), other.leftovers()], [[], []]);
});
