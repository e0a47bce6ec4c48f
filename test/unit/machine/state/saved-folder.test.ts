import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorCode } from '../../../../src/base/errors.ts';
import {
  dropSaved,
  isSaved,
  makePart,
  moveSaved,
  refuseSaved,
  type SavedStage,
  savedFiles,
  savedFolder,
  tidySaved,
} from '../../../../src/machine/state/saved-folder.ts';
import { tempDir } from '../../../support/temp-root.ts';

function stateWith(dir: string, ...stages: readonly SavedStage[]): { readonly stateDir: string } {
  const files = { stateDir: join(dir, 'web') };
  for (const stage of stages) {
    mkdirSync(savedFolder(files, stage), { recursive: true });
    writeFileSync(savedFiles(files, stage).state, stage);
  }
  return files;
}

test('a state is saved only once its folder has its name, and not one that its guest may have run on from', (t) => {
  const files = stateWith(tempDir(t));
  assert.equal(isSaved(files), false);
  makePart(files);
  assert.equal(isSaved(files), false);
  moveSaved(files, 'part', 'saved');
  assert.equal(isSaved(files), true);
  moveSaved(files, 'saved', 'loading');
  assert.equal(isSaved(files), true);
  moveSaved(files, 'loading', 'spent');
  assert.equal(isSaved(files), false);
});

test('what changes the disks of a saved machine is refused, with both ways out', (t) => {
  const files = stateWith(tempDir(t), 'saved');
  assert.throws(
    () => refuseSaved(files, 'web', 'resize DSK1'),
    (error: Error) => errorCode(error) === 'QEMU_MACHINE_STATE' && /Cannot resize DSK1/.test(error.message),
  );
  dropSaved(files);
  refuseSaved(files, 'web', 'resize DSK1');
  assert.deepEqual(readdirSync(files.stateDir), []);
});

test('a state whose guest has not run is one again; what is half written or spent goes', (t) => {
  const files = stateWith(tempDir(t), 'loading', 'part', 'spent');
  tidySaved(files);
  assert.deepEqual(readdirSync(files.stateDir), ['saved']);
  assert.ok(existsSync(savedFiles(files, 'saved').state));
});

test('a half-written state makes room for the next one', (t) => {
  const files = stateWith(tempDir(t), 'part');
  makePart(files);
  assert.deepEqual(readdirSync(savedFolder(files, 'part')), []);
});
