import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { settleBefore } from '../../../src/cli/init/settle-before.ts';
import { partFile } from '../../../src/machine/work/part-files.ts';
import { writeWork } from '../../../src/machine/work/work-record.ts';
import { bootId } from '../../../src/system/process/process.ts';
import { tempDir } from '../../support/temp-root.ts';
import { testHost, testMachine } from '../../support/test-host.ts';

/** Two machines, both with what a killed command has left. */
function leftovers(t: TestContext) {
  const dir = tempDir(t);
  const host = testHost(dir);
  const left = (name: string): string => join(dir, `.${name}.part`);
  const machines = ['web', 'db'].map((name) => {
    const target = { ...testMachine(host, name), shortName: name.slice(0, 1) };
    writeFileSync(left(name), 'half');
    const tool = { pid: 4_194_304, startTime: '1', bootId: bootId() };
    const rest = { startedAt: '2026-01-02T03:04:05.000Z', tool, jobs: [], cfgEdits: [], data: {} };
    writeWork(target.files, { kind: 'files', what: 'copying DSK1', partFiles: [partFile(left(name))], ...rest });
    return target;
  });
  const fleet = { host, listWithRunning: () => machines };
  return { context: { fleet: () => fleet }, isLeft: (name: string) => existsSync(left(name)) };
}

test('what killed commands left is set right of the machine that is named, also as a point of its backups', async (t) => {
  for (const named of [{ id: 'web' }, { id: 'w' }, { ids: ['web'] }, { id: 'web@20260101-000000' }]) {
    const { context, isLeft } = leftovers(t);
    await settleBefore(context, named);
    assert.deepEqual([isLeft('web'), isLeft('db')], [false, true], JSON.stringify(named));
  }
});

test('without a machine, or with one that is not there, it is set right of all', async (t) => {
  for (const named of [{}, { id: 'other' }, { ids: [] }]) {
    const { context, isLeft } = leftovers(t);
    await settleBefore(context, named);
    assert.deepEqual([isLeft('web'), isLeft('db')], [false, false], JSON.stringify(named));
  }
});

test('what keeps machines from being found is for the action to report', async () => {
  const fleet = (): never => {
    throw new Error('no fleet');
  };
  await settleBefore({ fleet }, {});
});
