import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoRoot } from '../../support/repo.ts';

/** How many rules there are of each kind: framing, negotiation, commands, events, end of life. */
const RULES = { P: 7, N: 9, C: 14, E: 7, L: 8 };

test('each of the 45 rules of the protocol has a test that begins with its name', () => {
  const dir = join(repoRoot, 'test/unit/qmp');
  const titles = readdirSync(dir)
    .filter((name) => name.endsWith('.test.ts'))
    .flatMap((name) => [...readFileSync(join(dir, name), 'utf8').matchAll(/^\s*test\(\s*['`]([PNCEL]\d+)\b/gm)])
    .map(([, rule]) => rule);
  const rules = Object.entries(RULES).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, at) => `${kind}${at + 1}`),
  );
  assert.equal(rules.length, 45);
  assert.deepEqual(
    rules.filter((rule) => !titles.includes(rule)),
    [],
  );
});
