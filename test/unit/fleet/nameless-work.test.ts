import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { namelessProblems, settleNameless } from '../../../src/fleet/nameless-work.ts';
import type { MachineContext } from '../../../src/machine/context.ts';
import { dropDeadLocks } from '../../../src/machine/run/drop-dead-locks.ts';
import { machinePaths, resolvePaths } from '../../../src/system/paths.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

const DEAD = { pid: 1, startTime: 'x', bootId: 'x' };

function host(t: Cleanup): { context: MachineContext; notes: string[]; out: string } {
  const dir = tempDir(t);
  const paths = resolvePaths({ root: join(dir, 'root') }, {}, 0, '/');
  const notes: string[] = [];
  const notify = ({ machine, message }: { machine?: string; message: string }): void =>
    void notes.push(`${machine}: ${message}`);
  // What is not used is left out.
  return { context: { paths, notify } as unknown as MachineContext, notes, out: dir };
}

function leave(context: MachineContext, name: string, record: object): string {
  const { stateDir, work } = machinePaths(context.paths, name);
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(work, JSON.stringify({ kind: 'restore', what: 'restoring web', startedAt: '', tool: DEAD, ...record }));
  return stateDir;
}

test('what a killed restore made of a machine that is not there goes; what is whole, or of another kind, stays', async (t) => {
  const { context, notes, out } = host(t);
  assert.deepEqual(namelessProblems(context, []), []);
  const part = join(out, '.new.part');
  writeFileSync(part, '');
  const gone = leave(context, 'new', { partFiles: [{ path: part }] });
  const whole = leave(context, 'whole', { data: { swaps: [{}] } });
  leave(context, 'other', { kind: 'backup' });
  const known = leave(context, 'known', {});
  const registered = ['known'];
  assert.deepEqual(
    namelessProblems(context, registered).map(({ machine, hint }) => [machine, hint]),
    [
      ['new', 'qemu-init list removes what it left'],
      ['whole', 'give the same command again, which ends it'],
    ],
  );
  await settleNameless(context, registered);
  assert.deepEqual(
    [existsSync(part), existsSync(gone), existsSync(whole), existsSync(known)],
    [false, false, true, true],
  );
  assert.match(notes.join('\n'), /new: an earlier command was interrupted: restoring web: it is undone/);
  assert.match(
    notes.join('\n'),
    /whole: An earlier command was interrupted: restoring web; give the same command again/,
  );
});

test('locks, logs and keys of commands that were killed go, and those of one that lives stay', (t) => {
  const { context } = host(t);
  const files = machinePaths(context.paths, 'web');
  dropDeadLocks(files);
  for (const lock of [files.lock, files.workLock, files.controlLock]) {
    mkdirSync(lock, { recursive: true });
    writeFileSync(join(lock, 'holder.1.1.deadbeef'), 'start');
  }
  mkdirSync(files.keysDir);
  writeFileSync(join(files.keysDir, 'dsk1'), 'secret');
  writeFileSync(files.daemonLog, '');
  writeFileSync(files.record, '');
  dropDeadLocks(files);
  assert.deepEqual(
    readdirSync(files.dir).map((name) => join(files.dir, name)),
    [files.record],
  );
});
