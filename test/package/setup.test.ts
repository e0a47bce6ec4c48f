import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoRoot } from '../support/repo.ts';
import { tempDir } from '../support/temp-root.ts';

/** `nobody` of Debian. */
const OWNER = 65534;

test('under sudo the set-up works as the owner of the checkout, with nothing of the npm of root', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'package.json'), '{}');
  chownSync(join(dir, 'package.json'), OWNER, OWNER);
  // All of it but its last line, which does the work.
  const script = 'source <(head -n -1 "$1"); as_owner id -u; as_owner env';
  const env = {
    PATH: process.env['PATH'],
    HOME: '/root',
    SUDO_UID: `${OWNER}`,
    npm_config_cache: '/root/.npm',
    npm_config_userconfig: '/root/.npmrc',
    npm_config_globalconfig: '/root/.nvm/versions/node/v24/etc/npmrc',
    npm_config_prefix: '/root/.nvm/versions/node/v24',
    NPM_CONFIG_LOGS_DIR: '/root/logs',
    npm_config_registry: 'https://registry.example',
  };
  const words = ['-c', script, 'bash', join(repoRoot, 'scripts/setup.sh')];
  const [uid, ...variables] = execFileSync('bash', words, { cwd: dir, env, encoding: 'utf8' }).split('\n');
  assert.equal(uid, `${OWNER}`);
  assert.deepEqual(
    variables.filter((line) => /^(HOME|npm_).*\/root/i.test(line)),
    [],
  );
  assert.ok(variables.includes('npm_config_registry=https://registry.example'));
});
