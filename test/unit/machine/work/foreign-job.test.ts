import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QemuError, QmpRefusedError } from '../../../../src/base/errors.ts';
import { explainForeignJob } from '../../../../src/machine/work/foreign-job.ts';
import type { QmpClient } from '../../../../src/qmp/client.ts';

const WORK = { what: 'copying DSK1', jobs: ['qi.mirror.dsk1'] };

function refused(desc: string): QmpRefusedError {
  return new QmpRefusedError({ errorClass: 'GenericError', desc, command: 'blockdev-mirror' });
}

/** Of a QEMU that has these jobs; undefined: there is none. */
function explain(error: unknown, jobs: readonly object[] | undefined): Promise<unknown> {
  const client = jobs && ({ executeRaw: async () => jobs } as unknown as QmpClient);
  return explainForeignJob(error, 'web', WORK, (work) => work(client));
}

test('a job that is in the way is named', async () => {
  const jobs = [
    { id: 'qi.mirror.dsk1', type: 'mirror', status: 'running' },
    { id: 'old', type: 'backup', status: 'concluded' },
    { id: 'mine', type: 'backup', status: 'running' },
  ];
  for (const desc of ['Need a root block node', "Node 'dsk1' is busy: block device is in use by block job: backup"]) {
    const error = await explain(refused(desc), jobs);
    assert.ok(error instanceof QemuError);
    assert.equal(error.code, 'QEMU_LOCKED');
    assert.match(
      error.message,
      /^Job "mine" \(backup\) of another program is running in machine "web": copying DSK1 failed$/,
    );
  }
});

test('an error that no other job explains stays as it is', async () => {
  const busy = refused('Need a root block node');
  assert.equal(await explain(busy, [{ id: 'qi.mirror.dsk1', type: 'mirror', status: 'running' }]), busy);
  assert.equal(await explain(busy, undefined), busy);
  const other = refused('No space left on device');
  assert.equal(await explain(other, [{ id: 'mine', type: 'backup', status: 'running' }]), other);
  const silent = explainForeignJob(busy, 'web', WORK, () => Promise.reject(new Error('it does not answer')));
  assert.equal(await silent, busy);
});
