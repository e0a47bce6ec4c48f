import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram } from '../../../src/system/process/find-program.ts';
import {
  bootId,
  findProcesses,
  isSameProcess,
  readProcess,
  sendSignal,
  waitForExit,
} from '../../../src/system/process/process.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

const HOUR_MS = 3_600_000;

async function start(t: Cleanup, file: string, args: string[]): Promise<ChildProcess & { pid: number }> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return Object.assign(child, { pid: child.pid ?? 0 });
}

function startTimeOf(pid: number): string {
  return readProcess(pid)?.startTime ?? '';
}

test('readProcess() of this process has its arguments', () => {
  const info = readProcess(process.pid);
  assert.equal(info?.pid, process.pid);
  assert.equal(info?.argv[0], process.argv0);
  assert.match(info?.startTime ?? '', /^\d+$/);
});

test('readProcess() knows no process of an impossible number', () => {
  for (const pid of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31 - 1]) {
    assert.equal(readProcess(pid), undefined);
  }
});

test('readProcess() is not confused by a program name with parentheses and blanks', async (t) => {
  const program = join(tempDir(t), 'x) Z 1 (y');
  copyFileSync(findProgram('sleep') ?? '', program);
  const child = await start(t, program, ['1000']);
  const info = readProcess(child.pid);
  assert.deepEqual(info?.argv, [program, '1000']);
  assert.match(info?.state ?? '', /^[RSD]$/);
});

test('readProcess() keeps empty arguments', async (t) => {
  const child = await start(t, 'sh', ['-c', 'read x', '', 'b', '']);
  assert.deepEqual(readProcess(child.pid)?.argv, ['sh', '-c', 'read x', '', 'b', '']);
});

test('a zombie is no process: it answers kill(pid, 0) but is gone for all of these', async (t) => {
  // The shell becomes a program that never asks how its child ended; only then may the child end.
  const parent = await start(t, 'sh', ['-c', 'exec 3<&0; cat <&3 & echo $!; exec sleep 1000']);
  const [line] = (await once(parent.stdout ?? parent, 'data')) as [Buffer];
  const zombie = Number(line.toString());
  while (readProcess(parent.pid)?.argv[0] !== 'sleep') await new Promise(setImmediate);
  parent.stdin?.end();
  while (readProcess(zombie) !== undefined) await new Promise(setImmediate);
  process.kill(zombie, 0);
  assert.equal(isSameProcess(zombie, ''), false);
  assert.equal(sendSignal(zombie, '', 'SIGKILL'), false);
  assert.equal(await waitForExit(zombie, '', HOUR_MS), true);
});

test('findProcesses() finds by the arguments', async (t) => {
  const word = tempDir(t);
  const child = await start(t, 'sh', ['-c', 'read x', word]);
  const found = findProcesses((argv) => argv.includes(word) && argv[0] === 'sh');
  assert.deepEqual(
    found.map(({ pid }) => pid),
    [child.pid],
  );
});

test('findProcesses() takes up no more than the first 128 KiB of the arguments that anybody gives a program', async (t) => {
  const word = tempDir(t);
  const megabyte = Array.from({ length: 10 }, () => 'x'.repeat(100_000));
  const child = await start(t, 'sh', ['-c', 'read x', word, ...megabyte, `${word}/last`]);
  const [found, ...others] = findProcesses((argv) => argv.includes(word));
  assert.deepEqual(others, []);
  assert.equal(found?.pid, child.pid);
  assert.equal(found.argv.join(' ').length, 128 * 1024);
  assert.deepEqual(
    findProcesses((argv) => argv.includes(`${word}/last`)),
    [],
  );
  assert.equal(readProcess(child.pid)?.argv.at(-1), `${word}/last`, 'asked for by its number, it has all of them');
});

test('a process with another start time is another process', () => {
  assert.equal(isSameProcess(process.pid, startTimeOf(process.pid)), true);
  assert.equal(isSameProcess(process.pid, '1'), false);
  assert.equal(sendSignal(process.pid, '1', 'SIGKILL'), false);
});

test('waitForExit() is true as soon as the process is gone, and false when it stays', async (t) => {
  const child = await start(t, 'sleep', ['1000']);
  const startTime = startTimeOf(child.pid);
  assert.equal(await waitForExit(child.pid, startTime, 10), false);
  const gone = waitForExit(child.pid, startTime, HOUR_MS);
  assert.equal(sendSignal(child.pid, startTime, 'SIGTERM'), true);
  assert.equal(await gone, true);
});

test('waitForExit() ends with QEMU_ABORTED on its signal', async () => {
  const abort = new AbortController();
  const waiting = waitForExit(process.pid, startTimeOf(process.pid), HOUR_MS, abort.signal);
  abort.abort();
  await assert.rejects(waiting, { code: 'QEMU_ABORTED' });
});

test('sendSignal() to the process of somebody else is QEMU_NOT_PERMITTED', (t) => {
  t.mock.method(process, 'kill', () => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  assert.throws(() => sendSignal(process.pid, startTimeOf(process.pid), 'SIGTERM'), { code: 'QEMU_NOT_PERMITTED' });
});

test('sendSignal() does not take the pids of another pid namespace for its own', {
  skip: process.getuid?.() === 0 ? false : 'only root makes pid namespaces',
}, async (t) => {
  const victim = await start(t, 'sleep', ['1000']);
  const module = new URL('../../../src/system/process/process.js', import.meta.url).href;
  // /proc stays that of the host, and in the namespace another process has the number of the victim.
  const code = `import { spawn } from 'node:child_process';
    import { writeFileSync } from 'node:fs';
    import { sendSignal } from '${module}';
    let bystander;
    // A thread of Node.js may take the number.
    for (let number = ${victim.pid}; bystander?.pid !== ${victim.pid} && number > ${victim.pid} - 20; number--) {
      bystander?.kill('SIGKILL');
      writeFileSync('/proc/sys/kernel/ns_last_pid', String(number - 1));
      bystander = spawn('sleep', ['1000']);
    }
    console.log(bystander.pid);
    try {
      console.log(sendSignal(${victim.pid}, '${startTimeOf(victim.pid)}', 'SIGTERM'));
    } catch (error) {
      console.log(error.code);
    }
    process.exit();`;
  const { stdout } = spawnSync('unshare', ['--pid', '--fork', process.execPath, '--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  assert.equal(stdout, `${victim.pid}\nQEMU_NOT_PERMITTED\n`);
});

test('bootId() is eight hexadecimal digits or a UUID', () => {
  assert.match(bootId(), /^[0-9a-f]{8}(-[0-9a-f-]{27})?$/);
});
