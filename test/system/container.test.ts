import assert from 'node:assert/strict';
import { test } from 'node:test';
import { container } from '../support/nspawn.ts';

test('a container boots, powers off, boots again, and keeps what it wrote to itself', async (t) => {
  const host = container(t);
  await host.boot();
  host.sh('touch /etc/marker');
  await host.powerOff();
  await host.boot();
  host.sh('test -e /etc/marker');
  await host.cut();
  await host.boot();
  assert.equal(host.sh('systemctl is-system-running'), 'running');
});
