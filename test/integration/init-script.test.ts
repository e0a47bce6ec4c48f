import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';
import type { Cleanup } from '../support/temp-root.ts';

/** The init script at work in a scratch root; each call gives its exit status. */
function initScript(t: Cleanup) {
  const host = lab(t);
  const call = (...args: readonly string[]): number | null => {
    const { status } = spawnSync('sh', [join(repoRoot, 'etc/init.d/qemu-init'), ...args], {
      env: {
        ...process.env,
        QEMU_INIT: join(repoRoot, 'bin/qemu-init'),
        QEMU_INIT_ROOT: host.dir,
      },
      stdio: 'ignore',
      timeout: 60_000,
    });
    return status;
  };
  return { host, call };
}

test('the init script starts AUTOSTART machines and stops all, twice with the same end, with the status codes of LSB', async (t) => {
  const { host, call } = initScript(t);
  host.add('web', 'AUTOSTART=on\nREQUIRES=db\n');
  host.add('db', 'BOOTORDER=60\n');
  host.add('spare');
  assert.equal(call('status'), 3);
  assert.equal(call('stop'), 0);
  assert.equal(call('start'), 0);
  assert.equal(call('start'), 0);
  assert.equal(call('status'), 0);
  assert.equal(await host.state('web'), 'running');
  assert.equal(await host.state('db'), 'running');
  assert.equal(await host.state('spare'), 'stopped');
  assert.equal(call('restart'), 0);
  assert.equal(call('try-restart'), 0);
  assert.equal(await host.state('web'), 'running');
  assert.equal(await host.state('spare'), 'stopped');
  assert.equal(call('reload'), 0);
  assert.equal(call('force-reload'), 0);
  assert.equal(call('stop'), 0);
  assert.equal(call('stop'), 0);
  assert.equal(call('status'), 3);
  assert.equal(call('try-restart'), 0);
  assert.equal(await host.state('web'), 'stopped');
});

test('the init script is content with a host that has no machine', (t) => {
  const { call } = initScript(t);
  const actions = ['start', 'start', 'restart', 'try-restart', 'reload', 'force-reload', 'stop', 'stop'];
  assert.deepEqual(
    actions.map((action) => call(action)),
    actions.map(() => 0),
  );
  assert.equal(call('status'), 3);
});

test('the init script takes machines after the action', async (t) => {
  const { host, call } = initScript(t);
  host.add('web');
  assert.equal(call('start', 'web'), 0);
  assert.equal(call('status', 'web'), 0);
  assert.equal(call('stop', 'web'), 0);
  assert.equal(call('status', 'web'), 3);
  assert.equal(call('start', 'nobody'), 6);
});

test('the init script says what is wrong in the codes of LSB', (t) => {
  const { host, call } = initScript(t);
  assert.equal(call(), 2);
  assert.equal(call('dance'), 2);
  const missing = (action: string): number | null =>
    spawnSync('sh', [join(repoRoot, 'etc/init.d/qemu-init'), action], {
      env: { PATH: process.env['PATH'], QEMU_INIT: join(host.dir, 'none') },
    }).status;
  assert.deepEqual(['start', 'stop', 'status'].map(missing), [5, 0, 4]);
});
