import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as library from '../../src/index.ts';
import { FakeQmpServer } from '../../src/testing/index.ts';
import { repoRoot } from '../support/repo.ts';

const CLASSES: Readonly<Record<string, unknown>> = { ...library, FakeQmpServer };

/** The middle column of the tables. */
const ours = readFileSync(join(repoRoot, 'docs/coming-from.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| .*`/.test(line))
  .map((line) => line.split(' | ')[1] ?? '')
  .join(' ');

const MEMBERS = [...ours.matchAll(/`([A-Z]\w+)\.(\w+)`/g)].map(([, of = '', name = '']) => ({ of, name }));

test('every member that docs/coming-from.md names is there', () => {
  assert.ok(MEMBERS.length > 40, `${MEMBERS.length}`);
  for (const { of, name } of MEMBERS) {
    const type = CLASSES[of];
    assert.ok(typeof type === 'function', of);
    assert.ok(name in type || name in type.prototype, `${of}.${name}`);
  }
});

test('what is said there of both kinds of machine is true of both', () => {
  const alone = ['setConsole', 'console', 'inheritFd'];
  for (const { name } of MEMBERS.filter(({ of }) => of === 'TransientMachine')) {
    assert.equal(name in library.Machine.prototype || name in library.Machine, !alone.includes(name));
  }
});
