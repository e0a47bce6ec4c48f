import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { QemuError } from '../../../../src/base/errors.ts';
import { doWork, refuseDuringWork, resumeWork } from '../../../../src/machine/work/do-work.ts';
import { partFile, removeParts } from '../../../../src/machine/work/part-files.ts';
import { settleFirst } from '../../../../src/machine/work/settle-first.ts';
import { hasWork, ownTool, readWork, type WorkRecord, writeWork } from '../../../../src/machine/work/work-record.ts';
import { bootId, readProcess } from '../../../../src/system/process/process.ts';
import { tempDir } from '../../../support/temp-root.ts';
import { testHost, testMachine } from '../../../support/test-host.ts';

function lab(t: TestContext) {
  const dir = tempDir(t);
  const host = testHost(dir);
  const target = testMachine(host, 'web');
  const part = join(dir, '.copy.qcow2.part');
  return { dir, host, target, part };
}

const plan = (part: string) => ({ kind: 'files', what: 'copying DSK1', partFiles: [{ path: part }] });

/** A record as a killed process leaves it. */
function leftOver(part: string, more: Partial<WorkRecord> = {}): WorkRecord {
  const tool = { pid: 4_194_304, startTime: '1', bootId: bootId() };
  const base = { kind: 'files', what: 'copying DSK1', startedAt: '2026-01-02T03:04:05.000Z', tool };
  return { ...base, jobs: [], partFiles: [partFile(part)], cfgEdits: [], data: {}, ...more };
}

test('work is on record from before its first step to after its last', async (t) => {
  const { host, target, part } = lab(t);
  const result = await doWork(host, target, plan(part), async (work) => {
    assert.equal(readWork(target.files)?.what, 'copying DSK1');
    writeFileSync(part, '');
    work.noteParts();
    assert.deepEqual(readWork(target.files)?.partFiles, [partFile(part)]);
    renameSync(part, `${part}.done`);
    return 5;
  });
  assert.equal(result, 5);
  assert.equal(hasWork(target.files), false);
  assert.deepEqual(readdirSync(host.paths.runDir), []);
});

test('work that fails is undone, and its error is told', async (t) => {
  const { host, target, part } = lab(t);
  const work = doWork(host, target, plan(part), async () => {
    writeFileSync(part, '');
    throw new QemuError('QEMU_IO', 'no space');
  });
  await assert.rejects(work, /no space/);
  assert.equal(existsSync(part), false);
  assert.equal(hasWork(target.files), false);
});

test('while work goes on, in this process or another, other work is refused and a look leaves it alone', async (t) => {
  const { host, target, part } = lab(t);
  const busy = { code: 'QEMU_LOCKED', message: /busy since .* \(copying DSK1, by process \d+\)/ };
  await doWork(host, target, plan(part), async () => {
    writeFileSync(part, '');
    await assert.rejects(
      doWork(host, target, plan(part), async () => {}),
      busy,
    );
    await assert.rejects(refuseDuringWork(host, target), busy);
    await settleFirst(host, target);
    assert.equal(existsSync(part), true);
  });
  const other = spawn('sh', ['-c', 'read forever'], { stdio: ['pipe', 'ignore', 'ignore'] });
  t.after(() => {
    other.kill('SIGKILL');
  });
  await once(other, 'spawn');
  const { pid = 0 } = other;
  writeWork(
    target.files,
    leftOver(part, { tool: { pid, startTime: readProcess(pid)?.startTime ?? '', bootId: bootId() } }),
  );
  await assert.rejects(refuseDuringWork(host, target), busy);
  assert.deepEqual(host.notices, []);
});

test('what a killed command left is undone by the next look, which says so', async (t) => {
  const { host, target, part } = lab(t);
  writeFileSync(part, 'half');
  writeWork(target.files, leftOver(part));
  await settleFirst(host, target);
  assert.equal(existsSync(part), false);
  assert.equal(hasWork(target.files), false);
  assert.match(host.notices[0]?.message ?? '', /an earlier command was interrupted: copying DSK1: it is undone/);
});

test('a process of another boot with the same pid is not at work', async (t) => {
  const { host, target, part } = lab(t);
  writeFileSync(part, 'half');
  writeWork(target.files, leftOver(part, { tool: { ...ownTool(), bootId: 'another' } }));
  await refuseDuringWork(host, target);
  assert.equal(hasWork(target.files), false);
});

test('a damaged record means nothing was done, and one of an unknown kind stays', async (t) => {
  const { host, target, part } = lab(t);
  mkdirSync(target.files.stateDir, { recursive: true });
  writeFileSync(target.files.work, '{"kind": "fi');
  assert.equal(await resumeWork(host, target, async () => 1), undefined);
  assert.equal(hasWork(target.files), false);
  writeWork(target.files, leftOver(part, { kind: 'of tomorrow' }));
  await settleFirst(host, target);
  assert.match(host.notices[0]?.message ?? '', /cannot set right now .*unknown kind/);
  await assert.rejects(refuseDuringWork(host, target), { code: 'QEMU_MACHINE_STATE' });
  assert.equal(hasWork(target.files), true);
});

test('only the very file that was made is removed', async (t) => {
  const { dir } = lab(t);
  const [mine, swapped, gone] = ['mine', 'swapped', 'no/folder'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [mine, swapped]) writeFileSync(path, '');
  const parts = [partFile(mine), partFile(swapped), { path: gone }];
  writeFileSync(join(dir, 'other'), 'precious');
  renameSync(join(dir, 'other'), swapped);
  removeParts(parts);
  assert.deepEqual(readdirSync(dir), ['swapped']);
  symlinkSync(swapped, mine);
  removeParts([{ path: mine }]);
  assert.deepEqual(readdirSync(dir).sort(), ['mine', 'swapped']);
});
