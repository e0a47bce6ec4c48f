import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { locate, ProcessScan } from '../../../src/machine/run/locate.ts';
import { type RunRecord, writeRecord } from '../../../src/machine/run/record.ts';
import { type MachinePaths, machinePaths, resolvePaths } from '../../../src/system/paths.ts';
import { findProgram } from '../../../src/system/process/find-program.ts';
import { bootId, readExecutable, readProcess } from '../../../src/system/process/process.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';
import { threadLeaver } from '../../support/thread-leaver.ts';

const NOBODY = 65_534;

interface Pretended {
  readonly pid: number;
  readonly child: ChildProcess;
}

interface Pretence {
  readonly uid?: number;
  readonly mode?: number;
  readonly name?: string;
  /** Whom the program's file belongs to. */
  readonly owner?: number;
  readonly wrapper?: readonly string[];
}

/** A program that is called QEMU, has the pid file on its command line as QEMU has, and ends with this process. */
async function pretendQemu(t: Cleanup, files: MachinePaths, how: Pretence = {}): Promise<Pretended> {
  const { uid, mode = 0o755, name = 'qemu-system-x86_64', owner = process.getuid?.() ?? 0, wrapper = [] } = how;
  const folder = tempDir(t);
  chmodSync(folder, 0o755);
  const program = join(folder, name);
  copyFileSync(findProgram('sh') ?? '/bin/sh', program);
  if (process.getuid?.() === 0) chownSync(program, owner, owner);
  chmodSync(program, mode);
  const words = [
    ...wrapper,
    program,
    '-p',
    '-c',
    'echo; read forever',
    'x',
    '-no-user-config',
    '-pidfile',
    files.pidFile,
  ];
  const child = spawn(words[0] ?? '', words.slice(1), {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid }),
  });
  t.after(() => {
    child.kill('SIGKILL');
  });
  // It has become the program that it is to be.
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, child };
}

function machineIn(t: Cleanup): MachinePaths {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  mkdirSync(files.qemuDir, { recursive: true });
  return files;
}

function locatedPid(files: MachinePaths): number | undefined {
  const located = locate(files, new ProcessScan());
  return located.kind === 'alive' ? located.process.pid : undefined;
}

function recordOf(pid: number | undefined, more: Partial<RunRecord> = {}): RunRecord {
  return {
    phase: 'running',
    name: 'web',
    configPath: '/etc/qemu/web-qemu.cfg',
    pid,
    pidStartTime: pid === undefined ? undefined : readProcess(pid)?.startTime,
    bootId: bootId(),
    helpers: [],
    uid: process.geteuid?.(),
    gid: undefined,
    executable: pid === undefined ? undefined : readExecutable({ pid, thread: pid })?.id,
    slot: 3,
    monitorPort: 30323,
    controlPort: 30423,
    tls: true,
    vnc: undefined,
    startedAt: new Date().toISOString(),
    preconfig: false,
    consoleLog: { offset: 0, before: '', previous: '' },
    stop: undefined,
    ...more,
  };
}

test('a machine without any file is stopped', (t) => {
  const files = machineIn(t);
  assert.deepEqual(locate(files), { kind: 'stopped', record: undefined });
  rmSync(files.dir, { recursive: true });
  assert.deepEqual(locate(files), { kind: 'stopped', record: undefined });
});

test('a machine is alive by its record or by a look through /proc, whatever its pid file says', async (t) => {
  const files = machineIn(t);
  const { pid } = await pretendQemu(t, files);
  const { pid: other } = await pretendQemu(t, machineIn(t));
  const record = recordOf(pid);
  const texts = [
    '',
    '\n',
    '0\n',
    '-1\n',
    '1\n',
    `${pid}`,
    '99999999999\n',
    '\0\0\0\0',
    `${process.pid}\n`,
    `${other}\n`,
  ];
  for (const text of [`${pid}\n`, undefined, ...texts]) {
    for (const written of [record, undefined]) {
      rmSync(files.record, { force: true });
      rmSync(files.keptRecord, { force: true });
      rmSync(files.pidFile, { force: true });
      if (text !== undefined) writeFileSync(files.pidFile, text);
      if (written) writeRecord(files, written);
      const located = locate(files, new ProcessScan());
      const about = `pid file ${JSON.stringify(text)}, ${written ? 'with' : 'no'} record`;
      assert.equal(located.kind, 'alive', about);
      assert.equal(located.kind === 'alive' && located.process.pid, pid, about);
      assert.deepEqual(located.record, written, about);
    }
  }
});

test('a record that is lost while the machine runs is made up for by its copy, until the process is gone', async (t) => {
  const files = machineIn(t);
  const { pid, child } = await pretendQemu(t, files);
  const record = recordOf(pid);
  writeRecord(files, record);
  rmSync(files.dir, { recursive: true });
  const located = locate(files);
  assert.equal(located.kind === 'alive' && located.process.pid, pid);
  assert.deepEqual(located.record, record);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.deepEqual(locate(files), { kind: 'stopped', record: undefined });
});

test('of two processes with the right command line the recorded one is the machine, and no other stands in for it', async (t) => {
  const files = machineIn(t);
  const { pid, child } = await pretendQemu(t, files);
  const { pid: decoy } = await pretendQemu(t, files);
  writeRecord(files, recordOf(pid));
  writeFileSync(files.pidFile, `${decoy}\n`);
  assert.equal(locatedPid(files), pid);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.equal(locate(files).kind, 'dead');
});

test('a process under the recorded pid with another start time or another program is not the machine', async (t) => {
  const files = machineIn(t);
  const { pid } = await pretendQemu(t, files);
  for (const more of [{ pidStartTime: '1' }, { executable: '1:1' }, { pid: 1 }]) {
    writeRecord(files, recordOf(pid, more));
    assert.equal(locate(files).kind, 'stopped', JSON.stringify(more));
  }
  writeRecord(files, recordOf(pid, { executable: undefined }));
  assert.equal(locatedPid(files), pid);
});

test('a QEMU whose file was replaced by an upgrade is still the machine', async (t) => {
  const files = machineIn(t);
  const { pid } = await pretendQemu(t, files);
  writeRecord(files, recordOf(pid));
  const path = readExecutable({ pid, thread: pid })?.path ?? '';
  rmSync(path);
  copyFileSync('/bin/true', path);
  assert.equal(locatedPid(files), pid);
  rmSync(files.record);
  rmSync(files.keptRecord);
  assert.equal(locatedPid(files), pid, 'without a record, too');
});

test('a QEMU whose first thread has exited lives until the last one does', async (t) => {
  const program = threadLeaver(t, 'qemu-system-x86_64');
  if (program === undefined) return t.skip('made for x86-64 only');
  const files = machineIn(t);
  const child = spawn(program, ['-no-user-config', '-pidfile', files.pidFile], { stdio: 'ignore' });
  t.after(() => void child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  while ((readProcess(pid)?.thread ?? pid) === pid) await new Promise(setImmediate);
  const started = readProcess(pid);
  assert.deepEqual(started?.argv.slice(1), ['-no-user-config', '-pidfile', files.pidFile]);
  const executable = started && readExecutable(started)?.id;
  assert.match(executable ?? '', /^\d+:\d+$/);
  writeRecord(files, recordOf(pid, { executable }));
  assert.equal(locatedPid(files), pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(locate(files).kind, 'stopped');
});

test('a start that was killed before it noted the pid is found by its process', async (t) => {
  const files = machineIn(t);
  const { pid } = await pretendQemu(t, files);
  writeRecord(files, recordOf(undefined, { phase: 'starting' }));
  const located = locate(files);
  assert.equal(located.kind === 'alive' && located.process.pid, pid);
  assert.equal(located.record?.phase, 'starting');
});

test('what another user starts is not the machine, whatever its command line and the pid file say', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can start programs of other users');
  const files = machineIn(t);
  const asNobody = { uid: NOBODY };
  const decoys: Readonly<Record<string, Pretence>> = {
    'his own QEMU': asNobody,
    "root's set-user-ID program": { ...asNobody, mode: 0o4755 },
    "root's set-group-ID program": { ...asNobody, mode: 0o2755 },
    "root's set-user-ID program that has taken all of root's ids": { mode: 0o4755 },
    'a program that is no QEMU': { name: 'su' },
    'one in a pid namespace of its own': { wrapper: ['unshare', '--pid', '--fork', '--kill-child', '--'] },
  };
  for (const [about, how] of Object.entries(decoys)) {
    rmSync(files.record, { force: true });
    rmSync(files.pidFile, { force: true });
    const { pid, child } = await pretendQemu(t, files, how);
    assert.equal(locate(files, new ProcessScan()).kind, 'stopped', about);
    writeFileSync(files.pidFile, `${pid}\n`);
    assert.equal(locate(files).kind, 'dead', `${about}, with a pid file`);
    // What is known of an earlier run does not help it.
    writeRecord(files, recordOf(1, { bootId: 'another' }));
    assert.equal(locate(files).kind, 'dead', `${about}, with an old record`);
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});

test("a start that was killed is found by QEMU's user, whom it has noted, and by nobody else's", async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can start programs of other users');
  const files = machineIn(t);
  const { pid } = await pretendQemu(t, files, { uid: NOBODY });
  const start = recordOf(undefined, { phase: 'starting' });
  writeRecord(files, start);
  assert.equal(locate(files).kind, 'stopped');
  writeRecord(files, { ...start, uid: NOBODY });
  assert.equal(locatedPid(files), pid);
});

test('a QEMU that is gone is dead when it left its pid file, and stopped when it took it along', async (t) => {
  const files = machineIn(t);
  const { pid, child } = await pretendQemu(t, files);
  writeFileSync(files.pidFile, `${pid}\n`);
  const record = recordOf(pid);
  writeRecord(files, record);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.deepEqual(locate(files), { kind: 'dead', record });
  rmSync(files.pidFile);
  assert.deepEqual(locate(files), { kind: 'stopped', record });
});

test('one look through /proc serves many machines', async (t) => {
  const [first, second, third] = [machineIn(t), machineIn(t), machineIn(t)];
  const a = await pretendQemu(t, first);
  const b = await pretendQemu(t, second);
  const scan = new ProcessScan();
  assert.deepEqual(
    [first, second, third].map((files) => scan.find(files).map(({ pid }) => pid)),
    [[a.pid], [b.pid], []],
  );
});

test('a look of its own is made for a machine that has left a file, unless a recent one will not do for any', (t) => {
  const files = machineIn(t);
  let looks = 0;
  const scan = new (class extends ProcessScan {
    override find(): [] {
      looks += 1;
      return [];
    }
  })();
  assert.equal(locate(files, scan, true).kind, 'stopped');
  assert.equal(looks, 0);
  assert.equal(locate(files, scan).kind, 'stopped');
  assert.equal(looks, 1);
  writeFileSync(files.pidFile, '1\n');
  assert.equal(locate(files, scan, true).kind, 'dead');
  assert.equal(looks, 2);
});

test('a program that merely names the pid file is not taken for a QEMU whose run-time folder is lost', async (t) => {
  const files = machineIn(t);
  const search = spawn('sh', ['-c', 'read forever', 'grep', '-pidfile', files.pidFile], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  t.after(() => {
    search.kill('SIGKILL');
  });
  await once(search, 'spawn');
  assert.equal(locate(files, new ProcessScan()).kind, 'stopped');
  const { pid } = await pretendQemu(t, files);
  const located = locate(files, new ProcessScan());
  assert.equal(located.kind === 'alive' && located.process.pid, pid);
});
