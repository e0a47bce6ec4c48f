import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { readLaunchRecord, writeLaunchRecord } from '../../../src/machine/run/launch-record.ts';
import { type RunRecord, readRecord, writeRecord } from '../../../src/machine/run/record.ts';
import type { StopSettings } from '../../../src/machine/run/stop-settings.ts';
import { type MachinePaths, machinePaths, resolvePaths } from '../../../src/system/paths.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

function emptyMachine(t: Cleanup): MachinePaths {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  mkdirSync(files.dir, { recursive: true });
  return files;
}

const number = fc.option(fc.nat(), { nil: undefined });
const plain = { noNullPrototype: true };
const stop: fc.Arbitrary<StopSettings> = fc.record(
  {
    stopDelaySeconds: fc.nat(),
    stopMethod: fc.constantFrom('auto', 'acpi', 'agent'),
    onShutdown: fc.constantFrom('shutdown', 'save'),
    preStop: fc.array(fc.string()),
    postStop: fc.array(fc.string()),
    dir: fc.string(),
    bootOrder: fc.nat(),
    requires: fc.array(fc.string()),
  },
  plain,
);
const record: fc.Arbitrary<RunRecord> = fc.record(
  {
    phase: fc.constantFrom('starting', 'running'),
    name: fc.string(),
    configPath: fc.string({ unit: 'grapheme' }),
    pid: number,
    pidStartTime: fc.option(fc.string(), { nil: undefined }),
    bootId: fc.uuid(),
    helpers: fc.array(
      fc.record({ key: fc.string(), program: fc.string(), pid: fc.nat(), startTime: fc.string() }, plain),
    ),
    uid: number,
    gid: number,
    executable: fc.option(fc.string(), { nil: undefined }),
    slot: number,
    monitorPort: number,
    controlPort: number,
    tls: fc.boolean(),
    vnc: fc.option(fc.record({ host: fc.string(), display: number, port: number }, plain), { nil: undefined }),
    startedAt: fc.constant('2030-01-01T00:00:00.000Z'),
    preconfig: fc.boolean(),
    consoleLog: fc.record({ offset: fc.nat(), before: fc.string(), previous: fc.string() }, plain),
    stop: fc.option(stop, { nil: undefined }),
  },
  plain,
);

test('a record reads back as it was written, for its owner alone', (t) => {
  const files = emptyMachine(t);
  fc.assert(
    fc.property(record, (written) => {
      writeRecord(files, written);
      assert.deepEqual(readRecord(files), written);
    }),
    { numRuns: 50 },
  );
  assert.equal(statSync(files.record).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(files.dir), ['machine.json']);
});

test('a record that is cut off anywhere is none, and never an error', (t) => {
  const files = emptyMachine(t);
  const [written] = fc.sample(record, { numRuns: 1, seed: 7 });
  const text = `${JSON.stringify(written, null, 1)}\n`;
  for (let length = 0; length < text.length - 2; length++) {
    writeFileSync(files.record, text.slice(0, length));
    assert.equal(readRecord(files), undefined);
  }
});

test('what is no record is none: any JSON, any bytes, no file, no folder', (t) => {
  const files = emptyMachine(t);
  assert.equal(readRecord(files), undefined);
  assert.equal(readRecord({ ...files, record: join(files.record, 'x') }), undefined);
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), fc.uint8Array()), (content) => {
      writeFileSync(files.record, content);
      assert.equal(readRecord(files), undefined);
    }),
    { numRuns: 200 },
  );
});

test('members of the wrong type are as if they were missing', (t) => {
  const files = emptyMachine(t);
  const good = { phase: 'running', name: 'web', configPath: '/x', bootId: 'b', startedAt: 's' };
  writeFileSync(
    files.record,
    JSON.stringify({
      ...good,
      pid: '7',
      slot: 1.5,
      vnc: [],
      tls: 'yes',
      consoleLog: { offset: null, before: 1 },
      stop: { preStop: 'x' },
      more: 1,
    }),
  );
  const read = readRecord(files);
  assert.deepEqual(
    [read?.pid, read?.slot, read?.vnc, read?.tls, read?.consoleLog, read?.stop],
    [undefined, undefined, undefined, false, { offset: 0, before: '', previous: '' }, undefined],
  );
});

test('what a machine was started with is read from its copy when it is lost, and when damaged is as if it were lost', (t) => {
  const files = emptyMachine(t);
  const written = { binary: '/usr/bin/qemu', args: ['-m', '2G', ''], config: 'NAME=web\n' };
  assert.equal(readLaunchRecord(files), undefined);
  writeLaunchRecord(files, written);
  assert.deepEqual(readLaunchRecord(files), written);
  assert.deepEqual(
    [files.launch, files.keptLaunch].map((path) => statSync(path).mode & 0o777),
    [0o600, 0o600],
  );
  for (const text of ['', '{', '[]', JSON.stringify({ ...written, args: [1] }), JSON.stringify({ args: [] })]) {
    writeFileSync(files.launch, text);
    assert.deepEqual(readLaunchRecord(files), written, text);
  }
  rmSync(files.launch);
  assert.deepEqual(readLaunchRecord(files), written);
  writeFileSync(files.keptLaunch, 'null');
  assert.equal(readLaunchRecord(files), undefined);
});
