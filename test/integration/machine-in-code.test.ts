import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LaunchError, TransientMachine } from '../../src/index.ts';
import { readProcess, waitForExit } from '../../src/system/process/process.ts';
import { consoleText } from '../support/console-text.ts';
import { DEFAULT_BANNER, guestDisk } from '../support/guest-disk.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';

const TCG = ['-accel', 'tcg', '-nodefaults', '-m', '32'];

function machine(t: Cleanup, args: readonly string[] = []): { machine: TransientMachine; dir: string } {
  const dir = tempDir(t);
  const made = new TransientMachine({ args: [...TCG, ...args], tempDir: dir, name: 'test' });
  t.after(() => made.kill());
  return { machine: made, dir };
}

test('a machine built in code launches, answers and shuts down without leaving anything', async (t) => {
  const { machine: qemu, dir } = machine(t, ['-S']);
  qemu.setMachine('q35');
  qemu.addArgs('-name', 'guest=code');
  await qemu.launch();
  assert.equal(qemu.isRunning(), true);
  assert.deepEqual(await qemu.command('query-name'), { name: 'code' });
  const { pid } = qemu;
  assert.ok(pid !== undefined);
  assert.throws(() => qemu.addArgs('-x'), { code: 'QEMU_USAGE' });
  await qemu.shutdown();
  assert.equal(qemu.exitCode, 0);
  assert.equal(qemu.isRunning(), false);
  assert.equal(readProcess(pid), undefined);
  assert.deepEqual(readdirSync(dir), []);
});

test('a QEMU that does not come up throws its own text, status and arguments', async (t) => {
  const { machine: qemu, dir } = machine(t, ['-device', 'no-such-device']);
  await assert.rejects(qemu.launch(), (error) => {
    assert.ok(error instanceof LaunchError);
    assert.match(error.output, /no-such-device/);
    assert.equal(error.exitCode, 1);
    assert.ok(error.argv.includes('no-such-device'));
    return true;
  });
  assert.deepEqual(readdirSync(dir), []);
});

test('a dispose ends QEMU, whatever it does', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  await qemu.launch();
  const { pid } = qemu;
  process.kill(pid ?? 0, 'SIGSTOP');
  await qemu[Symbol.asyncDispose]();
  assert.equal(qemu.exitSignal, 'SIGKILL');
  assert.equal(readProcess(pid ?? 0), undefined);
});

test('a shutdown that was to be graceful and was not is an error', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  await qemu.launch();
  process.kill(qemu.pid ?? 0, 'SIGSTOP');
  await assert.rejects(qemu.shutdown({ timeoutMs: 50 }), { code: 'QEMU_STOP_FAILED' });
  assert.equal(qemu.isRunning(), false);
});

test('a graceful shutdown without a power button to press fails at once, and QEMU has ended', async (t) => {
  for (const withMonitor of [true, false]) {
    const { machine: qemu } = machine(t, ['-S']);
    qemu.setMonitor(withMonitor);
    await qemu.launch();
    if (withMonitor) await qemu.qmp.close();
    await assert.rejects(qemu.shutdown({ graceful: true, timeoutMs: Infinity }), {
      code: 'QEMU_STOP_FAILED',
      message: /power button/,
    });
    assert.equal(qemu.isRunning(), false);
  }
});

test('events that nobody takes are dropped beyond a limit, and counted', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  await qemu.launch();
  for (let turn = 0; turn < 600; turn++) {
    await qemu.command('cont');
    await qemu.command('stop');
  }
  const taken = qemu.getQmpEvents().length;
  assert.equal(taken, 1_000);
  assert.ok(qemu.droppedQmpEvents >= 200, `${qemu.droppedQmpEvents}`);
  await assert.rejects(qemu.nextQmpEvent({ timeoutMs: 1 }), { code: 'QEMU_TIMEOUT' });
  const next = qemu.nextQmpEvent();
  await qemu.command('cont');
  assert.equal((await next).event, 'RESUME');
  await qemu.kill();
});

test('wait() never kills', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  await qemu.launch();
  assert.equal(await qemu.wait({ timeoutMs: 1 }), false);
  assert.equal(qemu.isRunning(), true);
});

test('the console is a stream, and the guest is heard and told from there', async (t) => {
  const { machine: qemu, dir } = machine(t);
  const disk = guestDisk(tempDir(t), { echo: true });
  qemu.setConsole();
  qemu.addArgs('-drive', `file=${disk},format=raw,if=virtio`);
  await qemu.launch();
  await consoleText(qemu, 'ready');
  qemu.console.write('abc');
  await consoleText(qemu, 'ABC');
  await qemu.shutdown({ hard: true });
  assert.deepEqual(readdirSync(dir), []);
});

test('an event that came before the wait does not satisfy it, unless the wait begins there', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  await qemu.launch();
  const since = qemu.qmp.eventCount;
  await qemu.command('cont');
  await qemu.command('stop');
  assert.equal((await qemu.eventWait('STOP', undefined, { since })).event, 'STOP');
  await assert.rejects(qemu.eventWait('STOP', undefined, { timeoutMs: 1 }), { code: 'QEMU_TIMEOUT' });
  assert.deepEqual(
    qemu.getQmpEvents().map(({ event }) => event),
    ['RESUME', 'STOP'],
  );
  assert.equal(qemu.getQmpEvent(), undefined);
});

test('of several events the first that fulfils a wish is returned, and events can be waited for one by one', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  await qemu.launch();
  const first = qemu.nextQmpEvent();
  const reset = qemu.eventsWait([
    'SHUTDOWN',
    ['RESET', { reason: 'host-qmp-system-reset' }],
    ['RESET', { guest: true }],
  ]);
  await qemu.command('system_reset');
  const event = await reset;
  assert.equal(event.event, 'RESET');
  assert.equal((await first).event, 'RESET');
  assert.equal(TransientMachine.eventMatch(event, { guest: false }), true);
  assert.equal(TransientMachine.eventMatch(event, { guest: false, reason: 'other' }), false);
  assert.equal(TransientMachine.eventMatch(event, { missing: 1 }), false);
  await assert.rejects(qemu.nextQmpEvent({ timeoutMs: 1 }), { code: 'QEMU_TIMEOUT' });
  const last = qemu.nextQmpEvent({ timeoutMs: Infinity });
  await qemu.shutdown();
  assert.equal((await last).event, 'SHUTDOWN');
  await assert.rejects(qemu.nextQmpEvent(), { code: 'QEMU_QMP_CLOSED' });
});

test('a machine without a monitor runs, and is ended by a signal', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  qemu.setMonitor(false);
  await qemu.launch();
  assert.throws(() => qemu.qmp, { code: 'QEMU_USAGE' });
  await assert.rejects(qemu.command('query-status'), { code: 'QEMU_USAGE' });
  await qemu.shutdown();
  assert.equal(qemu.isRunning(), false);
});

test('descriptors that are passed at launch are an fd set, and a disk that is written by name of the set', async (t) => {
  const { machine: qemu } = machine(t);
  const path = guestDisk(tempDir(t));
  const fds = [openSync(path, 'r+'), openSync(path, 'r')];
  for (const fd of fds) qemu.addFd(fd, 1, 'disk, with a comma');
  qemu.addArgs('-drive', 'file=/dev/fdset/1,format=raw,if=virtio');
  await qemu.launch();
  for (const fd of fds) closeSync(fd);
  const [set] = (await qemu.qmp.execute('query-fdsets')) ?? [];
  assert.deepEqual(
    set?.fds.map(({ opaque }) => opaque),
    ['disk, with a comma', 'disk, with a comma'],
  );
  assert.equal(await qemu.qmp.hmp('qemu-io virtio0 "write -P 7 64k 64k"'), '');
  await qemu.shutdown();
  assert.equal(readFileSync(path).at(64 * 1024), 7);
});

test('a descriptor that is inherited has the number that was told, whatever is set up afterwards', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  const path = guestDisk(tempDir(t));
  const fd = openSync(path, 'r');
  const number = qemu.inheritFd(fd);
  qemu.setConsole();
  await qemu.launch();
  closeSync(fd);
  assert.equal(readlinkSync(`/proc/${qemu.pid}/fd/${number}`), path);
});

test('a machine is configured in the preconfig state and then made', async (t) => {
  const { machine: qemu } = machine(t, ['--preconfig', '-S']);
  qemu.setMachine('q35');
  await qemu.launch();
  await assert.rejects(qemu.command('query-pci'), { code: 'QEMU_QMP_REFUSED' });
  await qemu.command('object-add', { 'qom-type': 'memory-backend-ram', id: 'early', size: 1024 * 1024 });
  await qemu.exitPreconfig();
  assert.ok(Array.isArray(await qemu.command('query-pci')));
  await assert.rejects(qemu.exitPreconfig(), { code: 'QEMU_QMP_REFUSED' });
});

test('a machine that has ended can be changed and launched again', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  await qemu.launch();
  const first = qemu.pid;
  await qemu.command('quit');
  assert.equal(await qemu.wait(), true);
  await assert.rejects(qemu.command('query-status'), { code: 'QEMU_NOT_RUNNING' });
  assert.equal(qemu.exitCode, 0);
  qemu.addArgs('-name', 'again');
  await qemu.launch();
  assert.notEqual(qemu.pid, first);
  assert.equal(qemu.exitCode, undefined);
  assert.deepEqual(await qemu.command('query-name'), { name: 'again' });
  await qemu.shutdown();
});

test('a second launch at the same time is refused, and the first goes on', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  const first = qemu.launch();
  await assert.rejects(qemu.launch(), { code: 'QEMU_USAGE' });
  await first;
  assert.equal(qemu.isRunning(), true);
});

test('a kill in the middle of a launch ends both', async (t) => {
  const { machine: qemu, dir } = machine(t, ['-S']);
  const launch = assert.rejects(qemu.launch(), { code: 'QEMU_ABORTED' });
  await qemu.kill();
  await launch;
  assert.equal(qemu.isRunning(), false);
  assert.deepEqual(readdirSync(dir), []);
});

test('a launch is aborted by its signal, and given up when QEMU does not answer in time', async (t) => {
  const { machine: qemu, dir } = machine(t, ['-S']);
  await assert.rejects(qemu.launch({ signal: AbortSignal.abort() }), { code: 'QEMU_ABORTED' });
  const silent = new TransientMachine({ binary: 'sleep', wrapper: ['sh', '-c', 'exec sleep 1000'], tempDir: dir });
  await assert.rejects(silent.launch({ timeoutMs: 50 }), (error) => {
    assert.ok(error instanceof LaunchError);
    assert.match(error.message, /did not answer/);
    assert.equal(error.exitCode, undefined);
    return true;
  });
  assert.deepEqual(readdirSync(dir), []);
});

test('a QEMU that is not installed, and a folder that is not there, are told as such', async (t) => {
  const dir = tempDir(t);
  const missing = new TransientMachine({ binary: 'qemu-system-abacus', tempDir: dir });
  await assert.rejects(missing.launch(), { code: 'QEMU_NOT_INSTALLED' });
  assert.deepEqual(readdirSync(dir), []);
  await assert.rejects(new TransientMachine({ tempDir: join(dir, 'none') }).launch(), { code: 'QEMU_IO' });
});

test('a guest that heeds the power button is shut down gracefully; one that does not is an error, and ended all the same', async (t) => {
  for (const deaf of [false, true]) {
    const { machine: qemu } = machine(t);
    qemu.setConsole();
    qemu.addArgs('-drive', `file=${guestDisk(tempDir(t), { deaf })},format=raw,if=virtio`);
    await qemu.launch();
    await consoleText(qemu, DEFAULT_BANNER);
    const down = qemu.shutdown({ graceful: true, timeoutMs: deaf ? 100 : 30_000 });
    await (deaf ? assert.rejects(down, { code: 'QEMU_STOP_FAILED' }) : down);
    assert.equal(qemu.isRunning(), false);
    // Even then it has written its disks.
    assert.equal(qemu.exitCode, 0);
  }
});

test('a guest that sleeps is woken up for a graceful shutdown, and a QEMU that outlives its guest is ended', async (t) => {
  for (const [sleeps, args] of [
    [true, []],
    [false, ['-no-shutdown']],
  ] as const) {
    const { machine: qemu } = machine(t);
    qemu.setConsole();
    qemu.addArgs('-drive', `file=${guestDisk(tempDir(t), { sleeps })},format=raw,if=virtio`, ...args);
    await qemu.launch();
    if (sleeps) await qemu.eventWait('SUSPEND');
    else await consoleText(qemu, DEFAULT_BANNER);
    await qemu.shutdown({ graceful: true, timeoutMs: 60_000 });
    assert.equal(qemu.exitCode, 0);
  }
});

test('a QEMU that crashes while it is shut down is no success', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  await qemu.launch();
  process.kill(qemu.pid ?? 0, 'SIGSTOP');
  const down = assert.rejects(qemu.shutdown({ timeoutMs: Infinity }), {
    code: 'QEMU_STOP_FAILED',
    message: /SIGKILL/,
  });
  process.kill(qemu.pid ?? 0, 'SIGKILL');
  await down;
});

test('a wait or a shutdown that is aborted leaves QEMU as it is', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  await qemu.launch();
  await assert.rejects(qemu.wait({ signal: AbortSignal.abort() }), { code: 'QEMU_ABORTED' });
  const stop = new AbortController();
  const wait = assert.rejects(qemu.wait({ timeoutMs: Infinity, signal: stop.signal }), { code: 'QEMU_ABORTED' });
  stop.abort();
  await wait;
  process.kill(qemu.pid ?? 0, 'SIGSTOP');
  const down = qemu.shutdown({ signal: AbortSignal.timeout(10) });
  await assert.rejects(down, { code: 'QEMU_ABORTED' });
  assert.equal(qemu.isRunning(), true);
});

test('a guest that prints much is not held up by a console that nobody reads', async (t) => {
  const { machine: qemu } = machine(t);
  const disk = guestDisk(tempDir(t), { spamBytes: 64 * 1024, poweroffAfterBanner: true });
  qemu.setConsole();
  qemu.addArgs('-drive', `file=${disk},format=raw,if=virtio`);
  await qemu.launch();
  assert.equal(await qemu.wait({ timeoutMs: 60_000 }), true);
  assert.equal(qemu.exitCode, 0);
  let text = '';
  for await (const chunk of qemu.console) text += String(chunk);
  assert.ok(text.startsWith(DEFAULT_BANNER));
  assert.ok(text.length >= 64 * 1024, `${text.length}`);
});

test('a console can be on another device, behind ports that lead nowhere', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  qemu.setConsole('isa-serial', 1);
  await qemu.launch();
  const chardevs = await qemu.qmp.execute('query-chardev');
  assert.deepEqual(chardevs.map(({ label }) => label).sort(), ['console', 'mon', 'serial0']);
  assert.equal(qemu.args.includes('-S'), true);
});

test('QEMU does not outlive a program that is killed', { skip: !existsSync('/usr/bin/setpriv') }, async (t) => {
  const dir = tempDir(t);
  const code = `
    import { TransientMachine } from ${JSON.stringify(join(import.meta.dirname, '../../src/index.js'))};
    const machine = new TransientMachine({ args: ${JSON.stringify([...TCG, '-S'])}, tempDir: ${JSON.stringify(dir)} });
    await machine.launch();
    process.stdout.write(String(machine.pid));
    process.kill(process.pid, 'SIGKILL');
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  assert.match(stdout, /^\d+$/);
  while (readProcess(Number(stdout)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('a program that ends without shutting its machine down leaves no QEMU and no folder', async (t) => {
  const dir = tempDir(t);
  const script = `
    import { TransientMachine } from ${JSON.stringify(new URL('../../src/index.js', import.meta.url).href)};
    const machine = new TransientMachine({ args: ${JSON.stringify([...TCG, '-S'])}, tempDir: ${JSON.stringify(dir)} });
    await machine.launch();
    console.log(machine.pid);
    process.exit(3);`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  assert.equal(status, 3);
  const process_ = readProcess(Number(stdout));
  if (process_) assert.ok(await waitForExit(process_.pid, process_.startTime, 10_000));
  assert.deepEqual(readdirSync(dir), []);
});
