import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureOwnUser } from '../../../src/machine/start/own-user.ts';

test('RUNAS=auto takes no user that is not marked as that of the machine, and none that can log in', async () => {
  const own = (runAs: string) => ensureOwnUser({ runAs, ownUser: true, longName: 'web' });
  await assert.rejects(own('daemon'), {
    code: 'QEMU_CONFIG_INVALID',
    message: /User "daemon" exists, but is not marked as the user of machine "web"/,
    hint: /usermod --comment 'QEMU machine web' daemon/,
  });
  await assert.rejects(own('root'), { code: 'QEMU_CONFIG_INVALID', message: /can log in/ });
  assert.equal(await ensureOwnUser({ runAs: 'daemon', ownUser: false, longName: 'web' }), undefined);
});
