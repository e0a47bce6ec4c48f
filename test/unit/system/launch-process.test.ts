import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DetachedProcess, spawnDetached } from '../../../src/system/process/launch-process.ts';
import { readProcess, sendSignal, waitForExit } from '../../../src/system/process/process.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

const HOUR_MS = 3_600_000;

/** The exit of a detached process does not keep this one alive, so something else has to. */
async function endOf(child: DetachedProcess) {
  const alive = setInterval(() => {}, HOUR_MS);
  try {
    return await child.exited;
  } finally {
    clearInterval(alive);
  }
}

function killed(t: Cleanup, child: DetachedProcess): DetachedProcess {
  t.after(() => void sendSignal(child.pid, child.startTime, 'SIGKILL'));
  return child;
}

test('what a detached process prints is appended to its log, and its end is told', async (t) => {
  const cwd = tempDir(t);
  const logPath = join(cwd, 'log');
  const first = await spawnDetached(['sh', '-c', 'pwd; echo bad >&2; exit 3'], { logPath, cwd });
  assert.deepEqual(await endOf(first), { exitCode: 3, signal: undefined });
  const second = await spawnDetached(['sh', '-c', 'kill -KILL $$'], { logPath, cwd });
  assert.deepEqual(await endOf(second), { exitCode: undefined, signal: 'SIGKILL' });
  assert.equal(readFileSync(logPath, 'utf8'), `${cwd}\nbad\n`);
  assert.equal(statSync(logPath).mode & 0o137, 0);
});

test('a detached process leads a session of its own and holds nothing of ours but its log', async (t) => {
  const cwd = tempDir(t);
  const logPath = join(cwd, 'log');
  const child = killed(t, await spawnDetached(['sleep', '1000'], { logPath, cwd }));
  const [, , group, session] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  assert.deepEqual([group, session], [String(child.pid), String(child.pid)]);
  assert.equal(readProcess(child.pid)?.startTime, child.startTime);
  const files = ['0', '1', '2'].map((fd) => readlinkSync(`/proc/${child.pid}/fd/${fd}`));
  assert.deepEqual(files, ['/dev/null', logPath, logPath]);
});

test('a detached process gets the file descriptors it is given, the mask and the environment', async (t) => {
  const cwd = tempDir(t);
  const before = process.umask();
  writeFileSync(join(cwd, 'input'), 'text');
  const fd = openSync(join(cwd, 'input'), 'r');
  t.after(() => closeSync(fd));
  const child = await spawnDetached(['sh', '-c', 'cat <&3; umask; echo $WORD; echo > made'], {
    ...{ logPath: join(cwd, 'log'), cwd, umask: 0o077, fds: [fd] },
    env: { PATH: process.env['PATH'], WORD: 'word' },
  });
  await endOf(child);
  assert.equal(readFileSync(join(cwd, 'log'), 'utf8'), 'text0077\nword\n');
  assert.equal(statSync(join(cwd, 'made')).mode & 0o777, 0o600);
  assert.equal(process.umask(), before);
});

test('a process that starts another one ends at once and leaves it running', async (t) => {
  const cwd = tempDir(t);
  const module = JSON.stringify(import.meta.resolve('../../../src/system/process/launch-process.js'));
  const program = `
    const { spawnDetached } = await import(${module});
    const child = await spawnDetached(['sleep', '1000'], { logPath: 'log', cwd: '.' });
    console.log(JSON.stringify(child));`;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd,
    encoding: 'utf8',
  });
  const child = JSON.parse(stdout) as DetachedProcess;
  assert.equal(status, 0);
  assert.equal(sendSignal(child.pid, child.startTime, 'SIGKILL'), true);
  assert.equal(await waitForExit(child.pid, child.startTime, HOUR_MS), true);
});

test('a program that cannot be started is an error at once', async (t) => {
  const cwd = tempDir(t);
  const logPath = join(cwd, 'log');
  writeFileSync(join(cwd, 'plain'), '');
  for (const [argv, options, code] of [
    [['no-such-program'], {}, 'QEMU_NOT_INSTALLED'],
    [[join(cwd, 'plain')], {}, 'QEMU_NOT_PERMITTED'],
    [['true'], { cwd: join(cwd, 'missing') }, 'QEMU_IO'],
    [['true'], { logPath: join(cwd, 'missing/log') }, 'QEMU_IO'],
    [['true', 'x'.repeat(3_000_000)], {}, 'QEMU_LAUNCH_FAILED'],
    [[], {}, 'QEMU_LAUNCH_FAILED'],
  ] as const) {
    await assert.rejects(spawnDetached(argv, { logPath, cwd, ...options }), { code });
  }
});

test('starting processes leaves no file open', async (t) => {
  const cwd = tempDir(t);
  const logPath = join(cwd, 'log');
  const openFiles = () => readdirSync('/proc/self/fd').filter((fd) => isLog(fd)).length;
  const isLog = (fd: string) => existsSync(`/proc/self/fd/${fd}`) && readlinkSync(`/proc/self/fd/${fd}`) === logPath;
  await endOf(await spawnDetached(['true'], { logPath, cwd }));
  await assert.rejects(spawnDetached(['no-such-program'], { logPath, cwd }));
  assert.equal(openFiles(), 0);
});
