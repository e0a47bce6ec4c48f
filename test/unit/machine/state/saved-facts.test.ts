import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../../src/config/machine-config.ts';
import { fileHashes } from '../../../../src/machine/state/saved-facts.ts';
import { machinePaths, resolvePaths } from '../../../../src/system/paths.ts';
import { tempRoot } from '../../../support/temp-root.ts';

test('a pipe in the place of the variables of a firmware holds up no save', (t) => {
  const { dir } = tempRoot(t);
  const [code, variables] = [join(dir, 'code.fd'), join(dir, 'vars.fd')];
  writeFileSync(code, Buffer.alloc(4096));
  const { draft } = parseMachineConfig(`FIRMWARE=${code},vars=${variables}\n`, { path: join(dir, 'web-qemu.cfg') });
  const hashes = (): unknown =>
    draft && fileHashes(draft, machinePaths(resolvePaths({ root: dir }, {}, 0, dir), 'web'));
  assert.deepEqual(hashes(), { [variables]: '' });
  execFileSync('mkfifo', [variables]);
  assert.throws(hashes, { code: 'QEMU_IO' });
});
