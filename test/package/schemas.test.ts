import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ACTIONS } from '../../src/cli/init/actions.ts';
import { assertDocument, SCHEMAS, schemaOf } from '../support/documents.ts';
import { repoRoot } from '../support/repo.ts';

/** Actions that are for people, or print code. */
const WITHOUT_DOCUMENT = ['console', 'edit', 'completion', 'qmp-types', 'web'];

test('every document that --json prints has a JSON Schema in the package', () => {
  const actions = ACTIONS.flatMap(({ command, load, verbs = [] }) => {
    const [name = ''] = command.split(' ');
    // The verbs of a noun may have one document in common.
    const isCommon = load === undefined && SCHEMAS.includes(name);
    const ofVerbs = isCommon ? [name] : verbs.map((verb) => `${name}-${verb.command.split(' ')[0]}`);
    return load === undefined ? ofVerbs : [name, ...ofVerbs];
  });
  const without = actions.filter((action) => !SCHEMAS.includes(schemaOf(action)));
  assert.deepEqual(without.sort(), WITHOUT_DOCUMENT.toSorted());
});

const FAILURE = { name: null, error: { code: 'QEMU_USAGE', message: 'wrong', hint: null } };

test('every schema takes an empty list and a failure, and refuses a row that has other members', () => {
  for (const name of SCHEMAS) {
    assertDocument([], name);
    // The page has errors of its own.
    if (name !== 'web-feed') assertDocument([FAILURE], name);
    assert.throws(() => assertDocument([{ surprise: 1 }], name), name);
    assert.throws(() => assertDocument({}, name), name);
  }
});

test('the manual names every schema', () => {
  const text = readFileSync(join(repoRoot, 'docs/schemas.md'), 'utf8');
  assert.deepEqual(
    SCHEMAS.filter((name) => !text.includes(`schemas/${name}.schema.json`)),
    [],
  );
});
