import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nameOf } from '../../src/cli/help/command.ts';
import { ACTIONS } from '../../src/cli/init/actions.ts';
import { unknownAction } from '../../src/cli/init/unknown-action.ts';
import * as library from '../../src/index.ts';
import { FakeQmpServer } from '../../src/testing/index.ts';
import { repoRoot } from '../support/repo.ts';

const CLASSES: Readonly<Record<string, unknown>> = { ...library, FakeQmpServer };

const page = readFileSync(join(repoRoot, 'docs/coming-from.md'), 'utf8');

/** The middle column of the tables. */
const ours = page
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

test('every command of virsh and qm that is in the table leads to an action', () => {
  const names = ACTIONS.map(nameOf);
  const rows = page.slice(page.indexOf('## Commands'), page.indexOf('## Keys')).split('\n');
  const words = rows
    .filter((line) => /^\| (?!virsh|---)/.test(line))
    .flatMap((line) => line.split(' | ').slice(0, 2))
    .flatMap((cell) => [...cell.matchAll(/`([a-z][\w-]*)/g)].map(([, word = '']) => word))
    // Programs of their own.
    .filter((word) => !word.startsWith('virt-'));
  assert.ok(words.length > 50, `${words.length}`);
  const lost = words.filter((word) => unknownAction([word, 'web'], names)?.hint?.startsWith('see: '));
  assert.deepEqual(lost, []);
});
