import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseWhileStateIsTaken } from '../../../../src/machine/plug/as-started.ts';
import { doWork } from '../../../../src/machine/work/do-work.ts';
import { ownTool, writeWork } from '../../../../src/machine/work/work-record.ts';
import { tempDir } from '../../../support/temp-root.ts';
import { testHost, testMachine } from '../../../support/test-host.ts';

test('nothing is plugged while the state of a guest is taken along, during other work and after a killed command it is', async (t) => {
  const host = testHost(tempDir(t));
  const target = testMachine(host, 'web');
  refuseWhileStateIsTaken(target);
  for (const kind of ['save', 'move-out', 'restart-live']) {
    await doWork(host, target, { kind, what: 'taking it along' }, async () => {
      assert.throws(() => refuseWhileStateIsTaken(target), {
        code: 'QEMU_LOCKED',
        message: /^Machine "web" is busy since .* \(taking it along, by process \d+\)$/,
      });
    });
  }
  await doWork(host, target, { kind: 'backup', what: 'a backup' }, async () => refuseWhileStateIsTaken(target));
  const tool = { ...ownTool(), bootId: 'another' };
  const rest = { startedAt: '2026-01-02T03:04:05.000Z', jobs: [], partFiles: [], cfgEdits: [], data: {} };
  writeWork(target.files, { kind: 'save', what: 'saving its state', tool, ...rest });
  refuseWhileStateIsTaken(target);
});
