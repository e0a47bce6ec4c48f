import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { locate, ProcessScan, slotFromArgv } from '../../../src/machine/locate.ts';
import { type RunRecord, writeRecord } from '../../../src/machine/record.ts';
import { type MachinePaths, machinePaths, resolvePaths } from '../../../src/system/paths.ts';
import { bootId, readProcess } from '../../../src/system/process.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

const NOBODY = 65_534;

/** A program that has the pid file on its command line as QEMU has, and ends with this process. */
async function pretendQemu(
  t: Cleanup,
  files: MachinePaths,
  uid?: number,
): Promise<{ readonly pid: number; readonly child: ChildProcess }> {
  const child = spawn('sh', ['-c', 'read forever', 'qemu', '-no-user-config', '-pidfile', files.pidFile], {
    stdio: ['pipe', 'ignore', 'ignore'],
    ...(uid === undefined ? {} : { uid }),
  });
  t.after(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'spawn');
  return { pid: child.pid ?? 0, child };
}

function machineIn(t: Cleanup): MachinePaths {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  mkdirSync(files.qemuDir, { recursive: true });
  return files;
}

function recordOf(pid: number | undefined, more: Partial<RunRecord> = {}): RunRecord {
  return {
    phase: 'running',
    name: 'web',
    configPath: '/etc/qemu/web-qemu.cfg',
    pid,
    pidStartTime: pid === undefined ? undefined : readProcess(pid)?.startTime,
    bootId: bootId(),
    slot: 3,
    monitorPort: 30323,
    controlPort: 30423,
    tls: true,
    vnc: undefined,
    startedAt: new Date().toISOString(),
    preconfig: false,
    consoleLogOffset: 0,
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

test('a machine is alive by its pid file, by its record, or by a look through /proc, whatever of them is damaged', async (t) => {
  const files = machineIn(t);
  const { pid } = await pretendQemu(t, files);
  const record = recordOf(pid);
  const damaged = [
    '',
    '\n',
    '0\n',
    '-1\n',
    '1\n',
    `${pid}`,
    '99999999999\n',
    '\0\0\0\0',
    'rubbish\n',
    `${process.pid}\n`,
  ];
  for (const text of [`${pid}\n`, undefined, ...damaged]) {
    for (const written of [record, undefined]) {
      if (text === undefined && written === undefined) continue;
      rmSync(files.record, { force: true });
      rmSync(files.pidFile, { force: true });
      if (text !== undefined) writeFileSync(files.pidFile, text);
      if (written) writeRecord(files, written);
      const located = locate(files);
      const about = `pid file ${JSON.stringify(text)}, ${written ? 'with' : 'no'} record`;
      assert.equal(located.kind, 'alive', about);
      assert.equal(located.kind === 'alive' && located.process.pid, pid, about);
      assert.deepEqual(located.record, written, about);
    }
  }
});

test('a record of another process, of an earlier one with the same pid, or of another boot is not of this run', async (t) => {
  const files = machineIn(t);
  const { pid } = await pretendQemu(t, files);
  writeFileSync(files.pidFile, `${pid}\n`);
  for (const record of [recordOf(1), recordOf(pid, { pidStartTime: '1' })]) {
    writeRecord(files, record);
    const located = locate(files);
    assert.equal(located.kind, 'alive');
    assert.equal(located.record, undefined);
  }
});

test('a start that was killed before it noted the pid is found by its process', async (t) => {
  const files = machineIn(t);
  const { pid } = await pretendQemu(t, files);
  writeRecord(files, recordOf(undefined, { phase: 'starting' }));
  const located = locate(files);
  assert.equal(located.kind === 'alive' && located.process.pid, pid);
  assert.equal(located.record?.phase, 'starting');
});

test("another user's program is not the machine, whatever its command line says", async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can start programs of other users');
  const files = machineIn(t);
  const { pid } = await pretendQemu(t, files, NOBODY);
  writeFileSync(files.pidFile, `${pid}\n`);
  assert.equal(locate(files).kind, 'dead');
  // RUNAS: QEMU's user has the folder.
  chownSync(files.qemuDir, NOBODY, NOBODY);
  assert.equal(locate(files).kind, 'alive');
});

test('a foreign process under the recorded pid is not the machine', (t) => {
  const files = machineIn(t);
  writeFileSync(files.pidFile, `${process.pid}\n`);
  writeRecord(files, recordOf(process.pid));
  assert.equal(locate(files).kind, 'dead');
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

test('the slot is read off a command line', () => {
  const monitor = { monitorPort: 30320, monitor: 'tcp', tls: 'psk', vncDisplay: 0 } as const;
  const argv = ['qemu', '-chardev', 'socket,id=mon4,host=127.0.0.1,port=30523,server=on,wait=off,ipv6=off'];
  assert.equal(slotFromArgv(argv, monitor), 103);
  assert.equal(slotFromArgv(['qemu', '-chardev', 'socket,id=other,port=30523'], monitor), undefined);
  assert.equal(slotFromArgv([], monitor), undefined);
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
