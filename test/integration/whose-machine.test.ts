import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { readProcess } from '../../src/system/process/process.ts';
import { lab, until } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';

const NOBODY = 65_534;

/** A program with the words on its command line that QEMU has, and a port that is not the machine's. */
async function decoy(t: Cleanup, argv: readonly string[], pidFile: string, uid?: number): Promise<ChildProcess> {
  const [program = '', ...args] = argv;
  const port = 'socket,id=mon4,host=127.0.0.1,port=9,server=on,wait=off';
  const words = [...args, '-no-user-config', '-pidfile', pidFile, '-chardev', port];
  const child = spawn(program, words, {
    stdio: ['pipe', 'ignore', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  t.after(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child;
}

test('a set-user-ID program with the words of a machine is not the machine, also when QEMU’s pid file names it', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can start programs of other users');
  const root = lab(t);
  root.ownPorts();
  root.add('web');
  const su = await decoy(t, ['su', 'root', '--'], root.file('web', 'qemu', 'pid'), NOBODY);
  assert.ok(su.stderr);
  // It asks for the password: it is root now, but for its real user.
  await once(su.stderr, 'data');
  assert.equal(readProcess(su.pid ?? 0)?.uid, 0);

  assert.equal(await root.state('web'), 'stopped');
  assert.equal((await root.cmd('-c', 'info status', 'web')).code, 7);
  assert.equal((await root.one('stop', 'web'))['rung'], 'none');
  assert.equal((await root.one('kill', 'web'))['rung'], 'none');
  const started = await root.one('start', 'web');
  assert.equal(started['outcome'], 'started');
  // A captured QEMU may write what it likes into its pid file.
  writeFileSync(root.file('web', 'qemu', 'pid'), `${su.pid}\n`);
  const status = await root.one('status', 'web');
  for (const key of ['pid', 'monitorPort']) assert.equal(status[key], started[key], key);
  assert.equal((await root.one('stop', 'web', '--force'))['rung'], 'quit');
  assert.equal(readProcess(Number(started['pid'])), undefined);
  assert.notEqual(readProcess(su.pid ?? 0), undefined, 'the other program was left alone');
});

/** Keeps others from opening a file by a lease, F_SETLEASE of fcntl(2), and holds on to it when it is asked to let go. */
async function holdLease(t: Cleanup, path: string): Promise<void> {
  const script = '$SIG{IO} = "IGNORE"; $| = 1; open F, "+<", $ARGV[0] or die; fcntl F, 1024, 1 or die; print 1; sleep';
  const holder = spawn('perl', ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
}

test('a captured QEMU that puts something else in place of its pid file is seen, and stopped by the power button', async (t) => {
  const root = lab(t);
  root.add('web');
  const pidFile = root.file('web', 'qemu', 'pid');
  const ways: Record<string, () => unknown> = {
    socket: () => once(createServer().unref().listen(pidFile), 'listening'),
    lease: () => {
      writeFileSync(pidFile, '1\n');
      return holdLease(t, pidFile);
    },
    folder: () => mkdirSync(pidFile),
    link: () => symlinkSync('/proc/self/mem', pidFile),
  };
  for (const [way, put] of Object.entries(ways)) {
    const { pid } = await root.one('start', 'web');
    await root.ok('wait', 'web', '--for', 'console=ready');
    rmSync(pidFile);
    await put();
    assert.equal((await root.one('status', 'web'))['pid'], pid, way);
    assert.equal((await root.one('stop', 'web'))['rung'], 'powerdown', way);
    assert.equal(await root.state('web'), 'stopped', way);
  }
});

test('a console log that a process of an earlier run keeps others from opening makes room for a new one', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can start QEMU as another user');
  const root = lab(t);
  chmodSync(root.dir, 0o755);
  root.add('web', 'RUNAS=nobody\nNETIF=managed\n');
  chownSync(join(root.etcDir, 'web.img'), NOBODY, NOBODY);
  const log = join(root.dir, 'var/log/qemu-init/web.console');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('stop', 'web');
  await holdLease(t, log);
  assert.equal((await root.init('log', 'web', '--console')).code, 0);
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  assert.match(root.console('web'), /ready/);
  assert.equal((await root.one('stop', 'web'))['rung'], 'powerdown');
});

test('a QEMU of a container with the same paths is not the machine of the host', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can make a pid namespace');
  const root = lab(t);
  root.add('web');
  mkdirSync(root.file('web', 'qemu'), { recursive: true });
  const container = ['unshare', '--pid', '--fork', '--kill-child', '--'];
  const qemu = ['qemu-system-x86_64', '-machine', 'none', '-S', '-display', 'none', '-nodefaults'];
  const pidFile = root.file('web', 'qemu', 'pid');
  const outer = await decoy(t, [...container, ...qemu], pidFile);
  const inner = (): number => Number(readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').trim());
  await until('QEMU runs in there', () => readProcess(inner())?.argv[0] === qemu[0]);
  const pid = inner();

  assert.notEqual(await root.state('web'), 'unresponsive');
  assert.equal((await root.one('kill', 'web'))['rung'], 'none');
  assert.notEqual(readProcess(pid), undefined, 'it was left alone');
  assert.equal((await root.one('start', 'web'))['outcome'], 'started');
  await root.ok('kill', 'web');
  assert.notEqual(readProcess(pid), undefined);
});

test('a QEMU that a script starts and waits for is the machine itself', async (t) => {
  const root = lab(t);
  root.ownPorts();
  const script = root.write('opt/my-qemu', '#!/bin/sh\nqemu-system-x86_64 "$@"\nexit $?\n');
  chmodSync(script, 0o755);
  root.add('web', `TGTARCH=${script}\n`);
  const started = await root.one('start', 'web');
  assert.match(readProcess(Number(started['pid']))?.argv[0] ?? '', /qemu-system-x86_64$/);
  assert.equal((await root.one('status', 'web'))['monitorPort'], started['monitorPort']);
  assert.equal((await root.one('kill', 'web'))['rung'], 'sigkill');
  assert.deepEqual(root.qemus(), []);
});
