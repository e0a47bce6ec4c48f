import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { lookAtState } from '../../../../src/machine/observe/status.ts';
import { machinePaths, resolvePaths } from '../../../../src/system/paths.ts';
import { FakeQmpServer } from '../../../../src/testing/index.ts';
import { tempDir } from '../../../support/temp-root.ts';

const LOOK_MS = 100;

test('a machine whose answer this process has not come to reading in time is not unresponsive', async (t) => {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  mkdirSync(files.qemuDir, { recursive: true });
  const qemu = await FakeQmpServer.start({ listen: { path: files.qmpSocket } });
  t.after(() => qemu.close());
  // The modules are loaded by then, so that the time limit is over while this process is busy with something else.
  const expected = (await lookAtState(files)).state;
  const looking = lookAtState(files, LOOK_MS);
  const until = performance.now() + 3 * LOOK_MS;
  while (performance.now() < until);
  assert.equal((await looking).state, expected);
  assert.notEqual(expected, 'unresponsive');
});
