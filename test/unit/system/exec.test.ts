import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram, run } from '../../../src/system/process/exec.ts';
import { findProcesses } from '../../../src/system/process/process.ts';
import { tempDir } from '../../support/temp-root.ts';

const HOUR_MS = 3_600_000;

test('run() gives back output, errors and status, and does not throw on a status', async () => {
  assert.deepEqual(await run('sh', ['-c', 'echo out; echo ä >&2; exit 3']), {
    stdout: 'out\n',
    stderr: 'ä\n',
    exitCode: 3,
    signal: undefined,
  });
});

test('run() names the signal that ended the program', async () => {
  const { exitCode, signal } = await run('sh', ['-c', 'kill -TERM $$']);
  assert.deepEqual({ exitCode, signal }, { exitCode: undefined, signal: 'SIGTERM' });
});

test('run() passes arguments as they are, without a shell', async () => {
  const words = ['$(echo x)', '`echo x`', '$HOME', 'a b', '"', "'", '', '*'];
  const { stdout } = await run('printf', ['<%s>', ...words]);
  assert.equal(stdout, words.map((word) => `<${word}>`).join(''));
});

test('run() gives input, environment and folder to the program', async (t) => {
  const dir = tempDir(t);
  const { stdout } = await run('sh', ['-c', 'cat; pwd; echo $WORD'], {
    input: 'text\n',
    cwd: dir,
    env: { PATH: process.env['PATH'], WORD: 'word' },
  });
  assert.equal(stdout, `text\n${dir}\nword\n`);
});

test('run() gives a program without input an empty one', async () => {
  assert.equal((await run('cat', [], { timeoutMs: HOUR_MS })).stdout, '');
});

test('run() does not mind a program that never reads its input', async () => {
  assert.equal((await run('true', [], { input: 'x'.repeat(1_000_000) })).exitCode, 0);
});

test('run() takes megabytes of output', async () => {
  const { stdout } = await run('head', ['-c', '5000000', '/dev/zero']);
  assert.equal(stdout.length, 5_000_000);
});

test('run() of a missing program is QEMU_NOT_INSTALLED too when a folder of PATH is closed to this user', async (t) => {
  if (process.getuid?.() === 0) return t.skip('no folder is closed to root');
  const path = process.env['PATH'];
  t.after(() => {
    process.env['PATH'] = path;
  });
  const closed = tempDir(t);
  chmodSync(closed, 0);
  process.env['PATH'] = `${path}:${closed}`;
  await assert.rejects(run('no-such-program', []), { code: 'QEMU_NOT_INSTALLED' });
});

test('run() of a program that does not exist is QEMU_NOT_INSTALLED', async () => {
  await assert.rejects(run('no-such-program', []), {
    code: 'QEMU_NOT_INSTALLED',
    message: 'Cannot find the program "no-such-program"',
  });
});

test('run() of a script with the line ends of Windows, or whose interpreter is missing, says that', async (t) => {
  const file = join(tempDir(t), 'hook');
  writeFileSync(file, '#!/bin/sh\r\nexit 0\r\n', { mode: 0o755 });
  await assert.rejects(run(file, []), {
    code: 'QEMU_COMMAND_FAILED',
    message: /hook": it has the line ends of Windows \(CR LF\)/,
    hint: /sed -i/,
  });
  writeFileSync(file, '#!/no/such/sh -e\nexit 0\n', { mode: 0o755 });
  await assert.rejects(run(file, []), {
    code: 'QEMU_NOT_INSTALLED',
    message: /needs the interpreter "\/no\/such\/sh"/,
  });
});

test('run() in a folder that does not exist says so, and does not blame the program', async (t) => {
  await assert.rejects(run('true', [], { cwd: join(tempDir(t), 'missing') }), { code: 'QEMU_IO' });
});

test('run() of a file that is not executable is QEMU_NOT_PERMITTED', async (t) => {
  const file = join(tempDir(t), 'plain');
  writeFileSync(file, '');
  await assert.rejects(run(file, []), { code: 'QEMU_NOT_PERMITTED' });
});

test('run() with arguments that no program can get is QEMU_LAUNCH_FAILED', async () => {
  await assert.rejects(run('true', ['a\0b']), { code: 'QEMU_LAUNCH_FAILED' });
  await assert.rejects(run('true', ['x'.repeat(3_000_000)]), { code: 'QEMU_LAUNCH_FAILED' });
});

test('run() names the program that is too slow, not what runs it', async () => {
  const running = run('sh', ['-c', 'exec sleep 1000'], { name: '/opt/qemu', timeoutMs: 50 });
  await assert.rejects(running, { code: 'QEMU_TIMEOUT', message: 'Program "/opt/qemu" did not end within 0.05 s' });
});

test('run() kills the program and its children at the deadline', async (t) => {
  const word = tempDir(t);
  const running = run('sh', ['-c', `sh -c 'trap "" TERM HUP; sleep 1000; :' ${word} & sleep 1000; :`, word], {
    timeoutMs: 50,
  });
  await assert.rejects(running, { code: 'QEMU_TIMEOUT', message: 'Program "sh" did not end within 0.05 s' });
  while (findProcesses((argv) => argv[0] === 'sh' && argv.includes(word)).length > 0) await new Promise(setImmediate);
});

test('run() kills the program on its signal, and does not start one after it', async (t) => {
  const word = tempDir(t);
  const abort = new AbortController();
  const running = run('sh', ['-c', 'sleep 1000; :', word], { timeoutMs: HOUR_MS, signal: abort.signal });
  abort.abort();
  await assert.rejects(running, { code: 'QEMU_ABORTED' });
  while (findProcesses((argv) => argv.includes(word)).length > 0) await new Promise(setImmediate);
  await assert.rejects(run('true', [], { signal: abort.signal }), { code: 'QEMU_ABORTED' });
});

test('run() does not wait for a background process that keeps the output open', async (t) => {
  const word = tempDir(t);
  const script = `echo before; sh -c 'kill -STOP $$; :' ${word} &`;
  assert.equal((await run('sh', ['-c', script], { timeoutMs: HOUR_MS })).stdout, 'before\n');
  for (const { pid } of findProcesses((argv) => argv.includes(word))) process.kill(pid, 'SIGKILL');
});

test('findProgram() looks a name up in the folders of PATH, in order', (t) => {
  const dir = tempDir(t);
  for (const folder of ['a', 'b', 'c']) {
    mkdirSync(join(dir, folder));
    writeFileSync(join(dir, folder, 'tool'), '');
  }
  for (const folder of ['b', 'c']) chmodSync(join(dir, folder, 'tool'), 0o755);
  mkdirSync(join(dir, 'a/folder'));
  const path = `${dir}/missing:${dir}/a:${dir}/b:${dir}/c`;
  assert.equal(findProgram('tool', path), join(dir, 'b/tool'));
  assert.equal(findProgram('folder', path), undefined);
  assert.equal(findProgram('', path), undefined);
});

test('findProgram() never looks into the current folder', (t) => {
  const dir = tempDir(t);
  const before = process.cwd();
  process.chdir(dir);
  t.after(() => process.chdir(before));
  writeFileSync('tool', '', { mode: 0o755 });
  for (const path of ['', ':', '.', ':/nowhere:']) assert.equal(findProgram('tool', path), undefined);
  assert.equal(findProgram('./tool', ''), join(dir, 'tool'));
});

test('run() keeps the first 16 MiB of what a program prints, and goes on reading', async () => {
  const { stdout, exitCode } = await run('head', ['-c', '17000000', '/dev/zero']);
  assert.equal(exitCode, 0);
  assert.equal(stdout.length, 16 * 1024 * 1024);
});
