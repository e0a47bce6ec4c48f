import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_BANNER } from '../support/guest-disk.ts';
import { freePort, lab, until } from '../support/lab.ts';
import { GUEST_MS, LINUX_READY, linuxGuest } from '../support/linux-guest.ts';

test('pause and resume stop and run the processors, and a paused machine can be stopped by its button', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('pause', 'web');
  assert.equal(await root.state('web'), 'paused');
  assert.equal((await root.init('status', 'web')).code, 0);
  await root.ok('resume', 'web');
  assert.equal(await root.state('web'), 'running');
  await root.ok('pause', '--all');
  const stopped = await root.one('stop', 'web');
  assert.equal(stopped['rung'], 'powerdown');
  for (const action of ['pause', 'resume', 'reset', 'wake', 'exit-preconfig']) {
    assert.equal((await root.init(action, 'web')).code, 7, action);
  }
});

test('a guest that sleeps is told as that, woken up by wake, and woken up for a stop', async (t) => {
  const root = lab(t);
  root.add('web', '', { sleeps: true });
  await root.ok('start', 'web');
  await until('it sleeps', async () => (await root.state('web')) === 'suspended');
  const status = await root.init('status', 'web');
  assert.equal(status.code, 0);
  assert.match(status.stderr, /^web: suspended \(the guest sleeps\)$/m);
  for (const action of ['pause', 'resume']) {
    const { code, stdout, stderr } = await root.init(action, 'web', '--json');
    assert.equal(code, 1, action);
    const [{ outcome, state, error }] = JSON.parse(stdout);
    assert.deepEqual([outcome, state, error.code], ['failed', 'suspended', 'QEMU_MACHINE_STATE']);
    assert.match(stderr, /hint: qemu-init wake web/);
  }
  const late = await root.init('wait', 'web', '--timeout', '0.1');
  assert.match(late.stderr, /it is suspended/);
  assert.deepEqual(await root.one('wake', 'web'), { name: 'web', outcome: 'woken', state: 'running' });
  assert.equal((await root.one('wake', 'web'))['outcome'], 'awake');
  await root.ok('pause', 'web');
  assert.equal((await root.init('wake', 'web')).code, 1);
  await root.ok('stop', 'web', '--force');

  await root.ok('start', 'web');
  await until('it sleeps', async () => (await root.state('web')) === 'suspended');
  const { rung, state } = await root.one('stop', 'web');
  assert.deepEqual({ rung, state }, { rung: 'powerdown', state: 'stopped' });
});

test('a Linux that has suspended itself to memory is woken up with a power button that works', async (t) => {
  const root = lab(t);
  const script = '(sleep 2; echo mem >/sys/power/state) &';
  const { kernel, initrd, append } = linuxGuest(root.etcDir, { script });
  root.write('etc/qemu/web.img', 'x'.repeat(512));
  const boot = `KERNEL=${kernel}\nINITRD=${initrd}\nAPPEND="${append}"\n`;
  root.add('web', `DSK1=web.img\nRAM=256M\nSTOPDELAY=30\n${boot}`);
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', `console=${LINUX_READY}`, '--timeout', '150');
  await until('it sleeps', async () => (await root.state('web')) === 'suspended', GUEST_MS);
  // On q35, without help, Linux would have neither the button nor a way to switch itself off.
  assert.equal((await root.one('stop', 'web'))['rung'], 'powerdown');
});

test('with -no-shutdown the guest that is down is what ended the machine', async (t) => {
  const root = lab(t);
  root.add('web', '[custom]\n-no-shutdown\n');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const { rung, seconds } = await root.one('stop', 'web');
  assert.equal(rung, 'powerdown');
  assert.ok(Number(seconds) < 50, 'it does not wait for its STOPDELAY');
  assert.equal(Object((await root.one('status', 'web'))['lastEnd']).cause, 'guest-shutdown');

  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.cmd('-c', 'system_powerdown', 'web');
  await until('the guest is down', async () => (await root.state('web')) === 'shutdown');
  const resumed = await root.init('resume', 'web');
  assert.equal(resumed.code, 1);
  assert.match(resumed.stderr, /is not resumed, but shutdown .*: it has to be reset first/);
  assert.equal((await root.one('stop', 'web', '--no-kill'))['rung'], 'powerdown');
});

test('--paused leaves the machine before its first instruction', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web', '--paused');
  assert.equal(await root.state('web'), 'prelaunch');
  assert.equal(root.console('web'), '');
  await root.ok('resume', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  // A reset boots the guest again.
  await root.ok('reset', 'web');
  await root.ok('wait', 'web', '--for', `console=${DEFAULT_BANNER}[\\s\\S]*${DEFAULT_BANNER}`);
  const stopped = await root.one('stop', 'web');
  assert.equal(stopped['rung'], 'powerdown');
});

test('a machine that never ran is not asked to power off, but quits', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web', '--paused');
  const stopped = await root.one('stop', 'web');
  assert.equal(stopped['rung'], 'quit');
  assert.deepEqual(root.leftovers(), []);
});

test('--preconfig leaves it before the machine is made: status says so, and only the commands for it go through', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web', '--preconfig');
  assert.equal(await root.state('web'), 'preconfig');
  assert.equal((await root.init('status', 'web')).code, 0);
  const allowed = await root.cmd('-q', 'query-version', 'web');
  assert.equal(allowed.code, 0, allowed.stderr);
  for (const command of ['system_powerdown', 'query-pci', 'cont']) {
    const refused = await root.cmd('-q', command, 'web');
    assert.equal(refused.code, 1, refused.stdout);
    assert.match(refused.stderr, /only after machine initialization/);
  }
  assert.deepEqual(await root.one('exit-preconfig', 'web'), { name: 'web', outcome: 'machine-made', state: 'running' });
  assert.equal(await root.state('web'), 'running');
  assert.equal((await root.init('exit-preconfig', 'web')).code, 1);
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('stop', 'web');

  await root.ok('start', 'web', '--preconfig');
  const stopped = await root.one('stop', 'web');
  assert.equal(stopped['rung'], 'quit');
  assert.deepEqual(root.leftovers(), []);
});

test('wait ends when the goal is reached, when the machine ends before, and at its deadline', async (t) => {
  const root = lab(t);
  const port = await freePort();
  root.add('web', `NIC1=virtio-net-pci,net=user,hostfwd=tcp:127.0.0.1:${port}-:22\n`);
  const never = await root.init('wait', 'web', '--for', 'console=x');
  assert.equal(never.code, 7, never.stderr);
  // Waiting for a start may begin before it.
  const running = root.spawn('qemu-init', [
    'wait',
    '--for',
    'running',
    '--for',
    `port=${port}`,
    'web',
    '--timeout',
    '30',
  ]);
  await root.ok('start', 'web');
  assert.equal((await running.result).code, 0);
  const late = await root.init('wait', 'web', '--for', 'console=never printed', '--timeout', '0.2');
  assert.equal(late.code, 1);
  assert.match(late.stderr, /"console=never printed"/);
  const stopped = root.spawn('qemu-init', ['wait', '--for=stopped', 'web', '--timeout', '30']);
  const console = root.spawn('qemu-init', ['wait', '--for=console=never printed', 'web', '--timeout', '30']);
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('stop', 'web');
  assert.equal((await stopped.result).code, 0);
  assert.equal((await console.result).code, 7);
  for (const goal of ['started', 'port=0', 'port=70000', 'console=(', 'console=', 'port=x:y']) {
    assert.equal((await root.init('wait', 'web', '--for', goal)).code, 2, goal);
  }
});

test('wait keeps its deadline, and hears SIGINT, whatever the guest prints and the expression is', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  // QEMU appends to it what the guest prints, here a line of 256 KiB and a prompt.
  const log = join(root.logDir, 'web.console');
  appendFileSync(log, `${'x'.repeat(262_144)}\nweb login: `);
  await root.ok('wait', 'web', '--for', 'console=\\S+ login:', '--timeout', '20');
  const late = await root.init('wait', 'web', '--for', 'console=(x+x+)+y', '--timeout', '1');
  assert.equal(late.code, 1);
  assert.match(late.stderr, /did not reach "console=.*" in time\n.*the expression takes too long/);
  const endless = root.spawn('qemu-init', ['wait', 'web', '--for', 'console=(x+x+)+y', '--timeout', '600']);
  await until('it searches', () => cpuTicks(endless.child.pid) > 100);
  endless.child.kill('SIGINT');
  assert.equal((await endless.result).code, 130);
});

/** Time on a processor, in hundredths of a second: proc(5), utime. */
function cpuTicks(pid: number | undefined): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[11]);
}

test('wait is never content with what an earlier run has printed', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const waiting = root.spawn('qemu-init', ['wait', 'web', '--for', 'console=ready[\\s\\S]*ready', '--timeout', '3']);
  await root.ok('stop', 'web', '--force');
  await root.ok('start', 'web', '--paused');
  const { code } = await waiting.result;
  assert.ok(code === 1 || code === 7, `${code}`);
  const early = await root.init('wait', 'web', '--for', 'console=ready', '--timeout', '0.2');
  assert.equal(early.code, 1);
  // Nor when the record is lost.
  rmSync(root.runDir, { recursive: true });
  assert.equal((await root.init('wait', 'web', '--for', 'console=ready', '--timeout', '0.2')).code, 1);
});
