import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lostFiles } from '../../../src/machine/run/lost-files.ts';
import { whileAlive } from '../../../src/machine/run/while-alive.ts';
import { machinePaths, resolvePaths } from '../../../src/system/paths.ts';
import { readProcess } from '../../../src/system/process/process.ts';
import { tempDir } from '../../support/temp-root.ts';

test('what is done with a living machine is told when that is gone, or when somebody gives up', async () => {
  const own = readProcess(process.pid);
  assert.ok(own);
  assert.equal(await whileAlive(own, undefined, async (alive) => alive.aborted), false);
  const late = AbortSignal.abort();
  assert.equal(await whileAlive(own, late, async (alive) => alive.aborted), true);
  const gone = { ...own, startTime: '1' };
  const isTold = await whileAlive(gone, undefined, async (alive) => {
    if (!alive.aborted) await new Promise((resolve) => alive.addEventListener('abort', resolve));
    return alive.aborted;
  });
  assert.equal(isTold, true);
});

test('a machine whose sockets are gone is told as that', (t) => {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  const target = { longName: 'web', shortName: undefined, configPath: join(files.dir, 'web-qemu.cfg'), files };
  assert.match(lostFiles(target) ?? '', /its sockets in ".*qemu" are gone/);
  mkdirSync(files.qemuDir, { recursive: true });
  writeFileSync(files.qmpSocket, '');
  assert.equal(lostFiles(target), undefined);
});
