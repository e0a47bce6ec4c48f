import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LaunchError, Machine } from '../../src/index.ts';
import { readProcess } from '../../src/system/process.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';

const TCG = ['-accel', 'tcg', '-nodefaults', '-m', '32'];

function machine(t: Cleanup, args: readonly string[] = []): { machine: Machine; dir: string } {
  const dir = tempDir(t);
  const made = new Machine({ args: [...TCG, ...args], tempDir: dir, name: 'test' });
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

test('wait() never kills', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  await qemu.launch();
  assert.equal(await qemu.wait(1), false);
  assert.equal(qemu.isRunning(), true);
});

test('the console is a stream, and the guest is heard and told from there', async (t) => {
  const { machine: qemu, dir } = machine(t);
  const disk = guestDisk(tempDir(t), { echo: true });
  qemu.setConsole();
  qemu.addArgs('-drive', `file=${disk},format=raw,if=virtio`);
  await qemu.launch();
  let text = '';
  const read = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted)) text += String((await once(qemu.console, 'data'))[0]);
  };
  await read('ready');
  qemu.console.write('abc');
  await read('ABC');
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

test('a machine without a monitor runs, and is ended by a signal', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  qemu.setMonitor(false);
  await qemu.launch();
  assert.throws(() => qemu.qmp, { code: 'QEMU_USAGE' });
  await qemu.shutdown();
  assert.equal(qemu.isRunning(), false);
});

test('descriptors that are passed at launch are an fd set', async (t) => {
  const { machine: qemu } = machine(t, ['-S']);
  const path = guestDisk(tempDir(t));
  const fds = [openSync(path, 'r+'), openSync(path, 'r')];
  for (const fd of fds) qemu.addFd(fd, 1, 'disk');
  qemu.addArgs('-drive', 'file=/dev/fdset/1,format=raw,if=virtio');
  await qemu.launch();
  for (const fd of fds) closeSync(fd);
  const sets = await qemu.command('query-fdsets');
  assert.equal(JSON.stringify(sets).includes('disk'), true);
});

test('a machine is configured in the preconfig state and then made', async (t) => {
  const { machine: qemu } = machine(t, ['--preconfig']);
  await qemu.launch();
  await assert.rejects(qemu.command('query-pci'), { code: 'QEMU_QMP_REFUSED' });
  await qemu.command('x-exit-preconfig');
  assert.ok(Array.isArray(await qemu.command('query-pci')));
});

test('QEMU does not outlive a program that is killed', { skip: !existsSync('/usr/bin/setpriv') }, async (t) => {
  const dir = tempDir(t);
  const code = `
    import { Machine } from ${JSON.stringify(join(import.meta.dirname, '../../src/index.js'))};
    const machine = new Machine({ args: ${JSON.stringify([...TCG, '-S'])}, tempDir: ${JSON.stringify(dir)} });
    await machine.launch();
    process.stdout.write(String(machine.pid));
    process.kill(process.pid, 'SIGKILL');
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  assert.match(stdout, /^\d+$/);
  while (readProcess(Number(stdout)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
});
