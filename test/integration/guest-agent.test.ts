import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { AgentClient, errorCode, Fleet } from '../../src/index.ts';
import { AgentRequest } from '../../src/machine/stop/agent-request.ts';
import { agentFiles, NO_QEMU_GA, QEMU_GA, RUN_AGENT } from '../support/guest-agent.ts';
import { lab, until } from '../support/lab.ts';
import { GUEST_MS, linuxGuest } from '../support/linux-guest.ts';
import { repoRoot } from '../support/repo.ts';
import { tempDir } from '../support/temp-root.ts';

const why = NO_QEMU_GA;
const SHUTDOWN = '/sbin/shutdown';
const cannot =
  why || process.getuid?.() !== 0 || !existsSync(SHUTDOWN) ? why || 'it takes root and a shutdown(8)' : false;

describe('the real guest agent', { skip: why }, () => {
  const dir = tempDir({ after });
  let qemuGa: ChildProcess | undefined;
  // One each: what fails in one test is not to end the others.
  beforeEach(async () => {
    qemuGa = await startAgent(dir, []);
  });
  afterEach(async () => {
    if (qemuGa) await endAgent(qemuGa, dir);
  });

  const open = (): Promise<AgentClient> => AgentClient.open(connect(join(dir, 'agent.sock')));

  test('answers what is asked of it', async () => {
    using agent = await open();
    await agent.ping();
    const { version, commands } = await agent.info();
    assert.match(version, /^\d+\.\d+/);
    assert.ok(commands.some(({ name, enabled }) => name === 'guest-exec' && enabled));
    const loopback = (await agent.networkInterfaces()).find(({ name }) => name === 'lo');
    assert.ok(loopback?.addresses.some(({ address, prefix }) => address === '127.0.0.1' && prefix === 8));
    assert.ok(Math.abs((await agent.time()).getTime() - Date.now()) < 60_000);
    assert.ok(Array.isArray(await agent.users()));
    assert.ok(Array.isArray(await agent.fileSystems()));
    assert.equal(await agent.freezeStatus(), 'thawed');
    await assert.rejects(agent.execute('guest-nope'), { code: 'QEMU_QMP_REFUSED', errorClass: 'CommandNotFound' });
  });

  test('runs programs: arguments, input, environment, both outputs, exit status, signal, time limit', async () => {
    using agent = await open();
    const script = 'cat; echo "$1 $WORD" >&2; exit 3';
    const result = await agent.exec('/bin/sh', ['-c', script, 'sh', 'a b'], {
      input: 'ü\0',
      env: ['WORD=c', 'PATH=/bin'],
    });
    assert.deepEqual([result.exitCode, result.signal], [3, undefined]);
    assert.deepEqual([result.stdout.toString(), result.stderr.toString()], ['ü\0', 'a b c\n']);
    assert.equal((await agent.exec('/bin/sh', ['-c', 'kill -9 $$'])).signal, 9);
    const late = agent.exec('/bin/sh', ['-c', 'read line; sleep 2'], { timeoutMs: 500 });
    await assert.rejects(late, { code: 'QEMU_TIMEOUT', hint: /^it goes on as process \d+ of the guest$/ });
    await agent.ping();
  });

  test('cuts an output of 40 MB, and that is said', async () => {
    using agent = await open();
    const { stdout, stdoutTruncated, stderrTruncated } = await agent.exec('/usr/bin/head', ['-c', '40M', '/dev/zero']);
    assert.deepEqual([stdout.length, stdoutTruncated, stderrTruncated], [16 << 20, true, false]);
  });

  test('carries files of any bytes both ways, and says why it cannot', async () => {
    using agent = await open();
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * at) % 251));
    await agent.writeFile(join(dir, 'in the guest'), bytes);
    assert.deepEqual(readFileSync(join(dir, 'in the guest')), bytes);
    const pieces: Buffer[] = [];
    for await (const piece of agent.readFile(join(dir, 'in the guest'))) pieces.push(piece);
    assert.deepEqual(Buffer.concat(pieces), bytes);
    await assert.rejects(agent.readFile(join(dir, 'missing')).next(), {
      code: 'QEMU_QMP_REFUSED',
      message: /No such file/,
    });
    await assert.rejects(agent.writeFile('/dev/full', bytes), { code: 'QEMU_QMP_REFUSED' });
  });

  test('is left in the middle of an answer by one client, and understood by the next', async () => {
    const rude = connect(join(dir, 'agent.sock'));
    rude.end('{"execute": "guest-info"}\n{"execute": "gue');
    await once(rude, 'finish');
    rude.destroy();
    // On a socket of its own, qemu-ga hangs up on whoever comes before it has seen the other one go.
    await until('the next client is served', () => isServed(open(), 'QEMU_QMP_CLOSED'));
  });
});

test('a stop asks the real agent, which takes it', { skip: cannot }, async (t) => {
  const dir = tempDir(t);
  const script = join(dir, 'shutdown');
  writeFileSync(script, `#!/bin/sh\necho "$@" >${dir}/asked\n`, { mode: 0o755 });
  // In a mount namespace of its own: what it calls is our script.
  const qemuGa = await startAgent(dir, [
    'unshare',
    '--mount',
    'sh',
    '-c',
    `mount --bind ${script} ${SHUTDOWN} && exec "$@"`,
    'sh',
  ]);
  t.after(() => void qemuGa.kill('SIGKILL'));
  const files = { agentSocket: join(dir, 'agent.sock') };
  const request = new AgentRequest(files, new AbortController().signal);
  request.ask();
  assert.equal(await request.isTaken(), true);
  assert.match(readFileSync(join(dir, 'asked'), 'utf8'), /-P|poweroff/);
  // One that nobody answers, and none at all, have not taken it; nor has a stop that is over anything left to wait for.
  const over = new AbortController();
  process.kill(Number(qemuGa.pid), 'SIGSTOP');
  const vain = new AgentRequest(files, over.signal);
  vain.ask();
  over.abort();
  assert.equal(await vain.isTaken(), false);
  const none = new AgentRequest({ agentSocket: join(dir, 'none.sock') }, new AbortController().signal);
  none.ask();
  assert.equal(await none.isTaken(), false);
});

test('the agent of a Linux guest is reached by its machine, is missed without a wait, keeps what is mounted, and stops the guest', {
  skip: why,
}, async (t) => {
  const root = lab(t);
  root.ownPorts();
  const disk = join(root.etcDir, 'data.img');
  writeFileSync(disk, '');
  truncateSync(disk, 16 << 20);
  execFileSync('mkfs.ext4', ['-q', disk]);
  const modules = ['ext4'];
  const { kernel, initrd, append } = linuxGuest(root.etcDir, {
    files: agentFiles(),
    script: MOUNT + RUN_AGENT,
    modules,
  });
  const boot = `KERNEL=${kernel}\nINITRD=${initrd}\nAPPEND=${append}\n`;
  root.add('web', `RAM=256M\nCPU=max\nQGA=on\nSTOPMETHOD=agent\nDSK1=data.img\n${boot}`);
  root.add('mute');
  await root.ok('start', 'web', 'mute');
  const fleet = Fleet.open({ root: root.dir });
  const [web, mute] = [fleet.get('web'), fleet.get('mute')];
  const none = { code: 'QEMU_NO_AGENT', message: /"web"/ };
  // Without a time limit: QEMU says that nobody in the guest has the channel open.
  const endless = { timeoutMs: Number.POSITIVE_INFINITY };
  await assert.rejects(fleet.agent(web, endless), { ...none, hint: /none runs in the guest/ });
  await assert.rejects(fleet.agent(mute, endless), { code: 'QEMU_NO_AGENT', hint: /QGA=on/ });
  const nothing = async (): Promise<void> => {};
  await assert.rejects(fleet.whileQuiet(mute, nothing, { quiesce: 'on' }), { code: 'QEMU_NO_AGENT' });
  assert.match(String((await fleet.whileQuiet(mute, nothing, { quiesce: 'auto' })).whyNot), /^No guest agent answers/);
  await fleet.kill(mute);
  await assert.rejects(fleet.agent(mute), { code: 'QEMU_NOT_RUNNING' });
  await until('the agent answers', () => isServed(fleet.agent(web), 'QEMU_NO_AGENT'), GUEST_MS);

  const withAgent = async <T>(work: (agent: AgentClient) => Promise<T>): Promise<T> => {
    using agent = await fleet.agent(web, { timeoutMs: 60_000 });
    return await work(agent);
  };
  const copied = (): Promise<string> =>
    withAgent(async (agent) => {
      await agent.writeFile('/data/in', Buffer.from('from the host'), { timeoutMs: 60_000 });
      const { stdout, exitCode } = await agent.exec('/bin/busybox', ['cat', '/data/in'], { timeoutMs: 60_000 });
      assert.equal(exitCode, 0);
      return stdout.toString();
    });
  assert.equal(await copied(), 'from the host');
  const { length } = await withAgent((agent) => agent.fileSystems());
  assert.equal(length, 1);
  assert.equal(await withAgent((agent) => agent.freeze()), 1);
  assert.equal(await withAgent((agent) => agent.freezeStatus()), 'frozen');
  assert.equal(await withAgent((agent) => agent.thaw()), 1);

  const more = join(root.etcDir, 'more.img');
  writeFileSync(more, '');
  truncateSync(more, 16 << 20);
  execFileSync('mkfs.ext4', ['-q', more]);
  await root.ok('attach', 'web', 'DSK2=more.img');
  const sh = (script: string): Promise<number | undefined> =>
    withAgent(async (agent) => (await agent.exec('/bin/sh', ['-c', script], { timeoutMs: 60_000 })).exitCode);
  const mount = 'mkdir -p /tmp/more; mount -t ext4 /dev/vdb /tmp/more';
  await until('the guest has mounted it', async () => (await sh(mount)) === 0, GUEST_MS);
  const detach = ['detach', 'web', 'DSK2', '--timeout', '180'];
  const mounted = await root.init(...detach);
  assert.match(mounted.stderr, /Cannot take DSK2 out of "web": its guest has it mounted on "\/tmp\/more"$/m);
  assert.notEqual(mounted.code, 0);
  assert.equal(await sh('echo still there >/tmp/more/file && umount /tmp/more'), 0);
  assert.deepEqual((await root.one(...detach))['applied'], ['DSK2']);

  const type = (command: string, answer: number): Promise<void> =>
    fleet.machine(web).withConsole(async (stream) => {
      stream.resume().write(`${command}; echo typed $((${answer} - 1 + 1))\n`);
      await until('the shell of the guest has done it', () => root.console('web').includes(`typed ${answer}`));
    });
  const given = await withAgent(async (agent) => {
    await type('kill -STOP $(cat /tmp/pid)', 21);
    return agent.freeze(undefined, { timeoutMs: 100 }).catch(errorCode);
  });
  assert.equal(given, 'QEMU_TIMEOUT');
  await type('kill -CONT $(cat /tmp/pid)', 22);
  // The answers to it are on their way to this one, and no freeze that nobody knows of is left.
  assert.equal(await withAgent((agent) => agent.freezeStatus()), 'thawed');

  const frozen = (): Promise<string> => withAgent((agent) => agent.freezeStatus());
  const mark = root.file('web', 'frozen-since');
  const quiet = await fleet.whileQuiet(web, async () => existsSync(mark), { quiesce: 'auto' });
  assert.deepEqual(quiet, { value: true, quiesced: true, whyNot: undefined });
  assert.deepEqual([existsSync(mark), await frozen()], [false, 'thawed']);
  const failing = async (): Promise<never> => Promise.reject(new Error('in the middle'));
  await assert.rejects(fleet.whileQuiet(web, failing, { quiesce: 'on' }), /in the middle/);
  assert.deepEqual([existsSync(mark), await frozen()], [false, 'thawed']);
  // Nobody keeps it frozen for longer than it is allowed to be.
  const slow = await fleet.whileQuiet(web, () => until('the mark is gone', () => !existsSync(mark)), {
    quiesce: 'auto',
    mostFrozenMs: 1,
  });
  assert.match(String(slow.quiesced || slow.whyNot), /thawed before/);
  // A command that is killed leaves the guest frozen for as long as nothing else is done with it.
  const killed = spawn(process.execPath, ['--input-type=module', '--eval', FREEZE, root.dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(killed.stdout, 'data');
  assert.equal((await root.init('status', 'web')).stderr, '');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  assert.match((await root.init('status', 'web')).stderr, /had left its file systems frozen since .*: they are thawed/);
  assert.deepEqual([existsSync(mark), await frozen()], [false, 'thawed']);

  await root.ok('pause', 'web');
  await assert.rejects(fleet.agent(web, { timeoutMs: 100 }), { ...none, hint: /paused/ });
  await root.ok('resume', 'web');
  assert.equal(await copied(), 'from the host');
  assert.equal((await root.one('stop', 'web', '--timeout', '60'))['rung'], 'agent');
});

/** Whether an agent answers on a session that begins; it may only fail in the one way. */
async function isServed(begun: Promise<AgentClient>, failure: string): Promise<boolean> {
  try {
    using agent = await begun;
    await agent.ping();
    return true;
  } catch (error) {
    assert.equal(errorCode(error), failure);
    return false;
  }
}

const FREEZE = `
const { Fleet } = await import('${pathToFileURL(join(repoRoot, 'dist/lib/index.js')).href}');
const fleet = Fleet.open({ root: process.argv[1] });
await fleet.whileQuiet(fleet.get('web'), async () => {
  console.log('frozen');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}, { quiesce: 'on', mostFrozenMs: 60_000 });
`;

const MOUNT = `
mkdir /data
mount -t ext4 /dev/vda /data
`;

async function endAgent(child: ChildProcess, dir: string): Promise<void> {
  const ended = child.exitCode ?? child.signalCode ?? once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  rmSync(join(dir, 'agent.sock'), { force: true });
}

/** Starts qemu-ga on a socket, below another program if asked. */
async function startAgent(dir: string, below: readonly string[]): Promise<ChildProcess> {
  const socket = join(dir, 'agent.sock');
  const [program, ...args] = [...below, String(QEMU_GA), '-m', 'unix-listen', '-p', socket, '-t', dir];
  const child = spawn(program, args, { stdio: 'ignore' });
  while (!existsSync(socket)) {
    assert.equal(child.exitCode, null, 'qemu-ga has ended');
    await sleep(20);
  }
  return child;
}
