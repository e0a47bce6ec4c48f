import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoRoot } from '../support/repo.ts';

test('docs/api is what the declarations of the library say', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(repoRoot, 'scripts/api-docs/api-docs.mjs'), '--check'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});
