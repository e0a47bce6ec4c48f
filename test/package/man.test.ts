import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoRoot } from '../support/repo.ts';

const manDir = join(repoRoot, 'docs/man');
const pages = readdirSync(manDir).filter((name) => /\.[1-8]$/.test(name));
const { bin } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8'));

test('every tool and the configuration file have a man page', () => {
  const names = new Set(pages.map((page) => page.replace(/\.[1-8]$/, '')));
  assert.deepEqual(
    [...Object.keys(bin), 'qemu.cfg'].filter((name) => !names.has(name)),
    [],
  );
});

for (const page of pages) {
  test(`mandoc has no complaint about ${page}`, () => {
    const { stdout, error } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', page], {
      cwd: manDir,
      encoding: 'utf8',
    });
    assert.ifError(error);
    assert.equal(stdout, '');
  });
}
