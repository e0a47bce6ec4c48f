import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeDeadTemporaries } from '../../../src/system/files/dead-temporaries.ts';
import { tempRoot } from '../../support/temp-root.ts';

/** The number of a process that has just ended. */
const DEAD = spawnSync('true').pid;

test('half-written files go when their writer is no more, or is long about it', (t) => {
  const { dir } = tempRoot(t);
  const long = Date.now() / 1000 - 3600;
  for (const name of [`.a.${DEAD}-1.tmp`, `.a.${process.pid}-1.tmp`, `.b.${process.pid}-2.tmp`, `.a.${DEAD}-1.part`])
    writeFileSync(join(dir, name), 'half');
  mkdirSync(join(dir, `.d.${DEAD}-1.tmp`));
  utimesSync(join(dir, `.b.${process.pid}-2.tmp`), long, long);
  const before = readdirSync(dir);
  removeDeadTemporaries(dir);
  const gone = [`.a.${DEAD}-1.tmp`, `.b.${process.pid}-2.tmp`];
  assert.deepEqual(
    readdirSync(dir),
    before.filter((name) => !gone.includes(name)),
  );
  removeDeadTemporaries(join(dir, 'none'));
});

test('nothing goes in a folder in which other users can write, which may lead elsewhere', (t) => {
  const { dir } = tempRoot(t);
  writeFileSync(join(dir, `.a.${DEAD}-1.tmp`), 'half');
  chmodSync(dir, 0o777);
  removeDeadTemporaries(dir);
  assert.ok(readdirSync(dir).includes(`.a.${DEAD}-1.tmp`));
});
