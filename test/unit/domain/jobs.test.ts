import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BlockJob } from '../../../src/domain/block-job.ts';
import type { Domain } from '../../../src/domain/domain.ts';
import { parseJobs } from '../../../src/domain/job-row.ts';
import type { FakeCall, FakeCommand, FakeQmpServer } from '../../../src/testing/index.ts';
import { tempDir } from '../../support/temp-root.ts';
import { fakeDomain, oneDrive } from './support.ts';

type Events = readonly (readonly [name: string, data: Readonly<Record<string, unknown>>])[];

/** Answers behind the events: QEMU says `created` and `running`, and sometimes more, before it answers. */
function afterEvents(...events: Events): FakeCommand {
  return ({ connection }: FakeCall) => {
    for (const [name, data] of events) connection.sendEvent(name, data);
    return {};
  };
}

async function jobDomain(
  t: TestContext,
  commands: Readonly<Record<string, FakeCommand>>,
): Promise<{ domain: Domain; fake: FakeQmpServer; job: BlockJob }> {
  const { domain, fake } = await fakeDomain(t, {
    'query-block': oneDrive('n1'),
    'query-commands': () => [{ name: 'job-complete' }],
    ...commands,
  });
  return { domain, fake, job: new BlockJob(domain, { device: 'j1', type: 'mirror', ready: true }) };
}

const JOB = { device: 'j1', type: 'mirror' };

test('events of other jobs are not taken for those of this one', async (t) => {
  const { domain } = await jobDomain(t, {
    'drive-mirror': afterEvents(
      ['BLOCK_JOB_COMPLETED', { device: 'other', error: 'No space left on device' }],
      ['BLOCK_JOB_CANCELLED', { device: 'other' }],
      ['BLOCK_JOB_READY', JOB],
    ),
  });
  const mirror = await (await domain.blockDevice('n1')).mirror('/srv/copy.raw', 'j1');
  assert.deepEqual([mirror.id, mirror.type, mirror.ready], ['j1', 'mirror', true]);
});

test('a job whose whole life is over before the command is answered is not missed', async (t) => {
  const { domain } = await jobDomain(t, { 'block-commit': afterEvents(['BLOCK_JOB_COMPLETED', JOB]) });
  const job = await (await domain.blockDevice('n1')).commit('j1', { topNode: 'inner', baseNode: 'base' });
  assert.equal(job.ready, false);
});

test('an I/O error that is reported is not the end of the job', async (t) => {
  const { domain } = await jobDomain(t, {
    'drive-mirror': afterEvents(
      ['BLOCK_JOB_ERROR', { device: 'j1', operation: 'write', action: 'ignore' }],
      ['BLOCK_JOB_READY', JOB],
    ),
  });
  assert.equal((await (await domain.blockDevice('n1')).mirror('/srv/copy.raw', 'j1')).ready, true);
});

test('the active layer is committed without naming it, an inner one by its node', async (t) => {
  const { domain, fake } = await jobDomain(t, { 'block-commit': afterEvents(['BLOCK_JOB_READY', JOB]) });
  const device = await domain.blockDevice('n1');
  await device.commit('j1', { topNode: 'n1' });
  assert.deepEqual((await fake.call('block-commit')).args, { device: 'n1', 'job-id': 'j1', 'auto-dismiss': false });
  await device.commit('j1', { topNode: 'inner', baseNode: 'base' });
  assert.deepEqual((await fake.call('block-commit', 1)).args, {
    device: 'n1',
    'top-node': 'inner',
    'base-node': 'base',
    'job-id': 'j1',
    'auto-dismiss': false,
  });
});

test('COMPLETED with an error is a failure, of a start and of a completion', async (t) => {
  const failing = afterEvents(['BLOCK_JOB_COMPLETED', { ...JOB, error: 'No space left on device' }]);
  const { domain, job } = await jobDomain(t, { 'drive-mirror': failing, 'job-complete': failing });
  const failure = { code: 'QEMU_COMMAND_FAILED', message: 'Job "j1" failed: No space left on device' };
  await assert.rejects((await domain.blockDevice('n1')).mirror('/srv/copy.raw', 'j1'), failure);
  await assert.rejects(job.complete(), failure);
});

test('a job that somebody cancels is no success, neither while it starts nor while it is completed', async (t) => {
  const cancelled = afterEvents(['BLOCK_JOB_CANCELLED', JOB]);
  const { domain, job } = await jobDomain(t, { 'drive-mirror': cancelled, 'job-complete': cancelled });
  const failure = { code: 'QEMU_COMMAND_FAILED', message: 'Job "j1" was cancelled' };
  await assert.rejects((await domain.blockDevice('n1')).mirror('/srv/copy.raw', 'j1'), failure);
  await assert.rejects(job.complete(), failure);
});

for (const event of ['BLOCK_JOB_CANCELLED', 'BLOCK_JOB_COMPLETED']) {
  test(`a cancellation is over with ${event}`, async (t) => {
    const { job, fake } = await jobDomain(t, { 'block-job-cancel': afterEvents([event, JOB]) });
    await job.cancel({ force: true });
    assert.deepEqual((await fake.call('block-job-cancel')).args, { device: 'j1', force: true });
  });
}

test('a QEMU without job-complete is asked in the older way', async (t) => {
  const { job, fake } = await jobDomain(t, {
    'query-commands': () => [{ name: 'block-job-complete' }],
    'block-job-complete': afterEvents(['BLOCK_JOB_COMPLETED', JOB]),
  });
  await job.complete();
  assert.deepEqual((await fake.call('block-job-complete')).args, { device: 'j1' });
});

test('a job that takes longer than it may is left running, and the error says so', async (t) => {
  const { domain } = await jobDomain(t, { 'drive-mirror': () => ({}) });
  const device = await domain.blockDevice('n1');
  await assert.rejects(device.mirror('/srv/copy.raw', 'j1', { timeoutMs: 20 }), {
    code: 'QEMU_TIMEOUT',
    hint: /cancel/,
  });
});

test('an abort ends the wait for a job, and so does the end of the connection', async (t) => {
  const { domain, fake } = await jobDomain(t, { 'drive-mirror': () => ({}) });
  const device = await domain.blockDevice('n1');
  const stop = new AbortController();
  const aborted = assert.rejects(device.mirror('/srv/a.raw', 'j1', { signal: stop.signal }), { code: 'QEMU_ABORTED' });
  await fake.call('drive-mirror');
  stop.abort();
  await aborted;
  const lost = assert.rejects(device.mirror('/srv/b.raw', 'j1', { timeoutMs: Infinity }), { code: 'QEMU_QMP_CLOSED' });
  await fake.call('drive-mirror', 1);
  (await fake.connection()).reset();
  await lost;
});

test('a refused command leaves no listener waiting', async (t) => {
  const { domain } = await jobDomain(t, {});
  const device = await domain.blockDevice('n1');
  await assert.rejects(device.mirror('/srv/copy.raw', 'j1'), { code: 'QEMU_QMP_REFUSED' });
});

test('relative paths are refused before anything is sent', async (t) => {
  const { domain, fake } = await jobDomain(t, {});
  const device = await domain.blockDevice('n1');
  const before = fake.calls.length;
  await assert.rejects(device.mirror('copy.raw', 'j1'), { code: 'QEMU_USAGE' });
  await assert.rejects(device.snapshot('./overlay.qcow2', 'o1'), { code: 'QEMU_USAGE' });
  await domain.status();
  assert.deepEqual(
    fake.calls.slice(before).map(({ name }) => name),
    ['query-status'],
  );
});

test('a copy or an overlay never replaces a file, unless that was asked for', async (t) => {
  const { domain, fake } = await jobDomain(t, {
    'drive-mirror': afterEvents(['BLOCK_JOB_READY', JOB]),
    'blockdev-snapshot-sync': () => ({}),
  });
  const path = join(tempDir(t), 'precious.img');
  writeFileSync(path, 'precious');
  const drive = await domain.blockDevice('n1');
  await assert.rejects(drive.mirror(path, 'j1'), { code: 'QEMU_USAGE', message: /already exists/ });
  await assert.rejects(drive.snapshot(path, 'top'), { code: 'QEMU_USAGE', message: /already exists/ });
  assert.deepEqual(
    fake.calls.filter(({ name }) => /mirror|snapshot/.test(name)),
    [],
  );
  await drive.mirror(path, 'j1', { overwrite: true });
  await drive.snapshot(path, 'top', { overwrite: true });
  assert.equal(fake.calls.filter(({ name }) => /mirror|snapshot/.test(name)).length, 2);
});

test('a captured QEMU with jobs without end, or with the same one again and again, keeps no command busy', () => {
  const jobs = (count: number, id: (at: number) => string): object[] =>
    Array.from({ length: count }, (_, at) => ({ id: id(at), type: 'backup', status: 'concluded' }));
  const refused = { code: 'QEMU_QMP_BAD_REPLY', message: /^Bad answer to "query-jobs": / };
  assert.equal(parseJobs(jobs(1000, String)).length, 1000);
  assert.throws(() => parseJobs(jobs(1001, String)), refused);
  assert.throws(() => parseJobs(jobs(2, () => 'one')), refused);
});
