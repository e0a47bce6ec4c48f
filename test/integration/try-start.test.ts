import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineConfig } from '../../src/config/machine-config.ts';
import { tryPrefix } from '../../src/machine/check/try-start.ts';

test('what is tried for a user that is not there runs as nobody, or not at all, and never as root', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root changes the user');
  const prefix = async (text: string) => {
    const { config } = parseMachineConfig(text, { path: '/etc/qemu/try-nosuch-qemu.cfg' });
    assert.ok(config);
    return await tryPrefix(config, 'tcg');
  };
  const own = await prefix('RUNAS=auto\n');
  assert.ok(typeof own !== 'string' && own.includes('--reuid=65534'), String(own));
  assert.match(String(await prefix('RUNAS=no-such-user\n')), /^QEMU was not asked/);
});
