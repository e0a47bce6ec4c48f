import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { utimesSync } from 'node:fs';
import { test } from 'node:test';
import { haveChanged, noteFiles, READ_FILES } from '../../../../src/fleet/service/units/read-files.ts';
import { tempRoot } from '../../../support/temp-root.ts';

const LATER = Date.now() + 3_600_000;

test('a file counts as changed when its size, a time of it or its presence is another one', (t) => {
  const root = tempRoot(t);
  const [a, b] = [root.write('a', 'x'), `${root.dir}/b`];
  root.write(`units/${READ_FILES}`, noteFiles([a, b, a], LATER));
  const dir = `${root.dir}/units`;
  assert.equal(haveChanged(dir, [a, b]), false);
  // Of these it does not say anything.
  assert.equal(haveChanged(dir, [a, `${root.dir}/c`]), false);
  assert.equal(haveChanged(`${root.dir}/none`, [a]), false);
  root.write('b', '');
  assert.equal(haveChanged(dir, [a, b]), true);
  // As after `cp -p` of another file of the same size.
  utimesSync(a, 1, 1);
  assert.equal(haveChanged(dir, [a]), true);
});

test('a file that was written a moment before it is read counts as changed, since another change would not show', (t) => {
  const root = tempRoot(t);
  const path = root.write('a', 'x');
  root.write(`units/${READ_FILES}`, noteFiles([path], 0));
  assert.equal(haveChanged(`${root.dir}/units`, [path]), true);
});

test('the state of a file is what stat(1) prints of it', (t) => {
  const root = tempRoot(t);
  const path = root.write('a b', 'x');
  utimesSync(path, 1_700_000_000, 1_700_000_000.000_5);
  const printed = execFileSync('stat', ['--dereference', '--format=%s:%.9Y:%.9Z %n', path], { encoding: 'utf8' });
  assert.equal(noteFiles([path], LATER), printed);
});
