import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import { QmpListener } from '../../../src/qmp/listener.ts';
import { startFake } from './support.ts';

test('N8 a QEMU that connects to us gets the same session, and whoever comes later is refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'listen-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'qmp');
  const listener = await QmpListener.listen({ kind: 'unix', path });
  const fake = await startFake(t);
  const socket = connect({ path });
  const monitor = fake.openStream();
  socket.pipe(monitor).pipe(socket);

  const client = await QmpClient.connect(listener.address);
  assert.equal((await client.execute('query-status')).status, 'prelaunch');
  const refused = await new Promise((resolve) => {
    connect({ path }).on('error', resolve);
  });
  assert.match(String(refused), /ENOENT|ECONNREFUSED/);
  await client.close();
  await listener.close();
  assert.equal(existsSync(path), false);
});

test('a listener gives a free TCP port, and waits no longer than the deadline or the signal', async () => {
  await using listener = await QmpListener.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  assert.ok(listener.port > 0);
  await assert.rejects(QmpClient.connect(listener.address, { timeoutMs: 10 }), {
    code: 'QEMU_TIMEOUT',
    message: /no connection within 10 ms/,
  });
  const stop = new AbortController();
  const aborted = assert.rejects(QmpClient.connect(listener.address, { signal: stop.signal }), {
    code: 'QEMU_ABORTED',
  });
  stop.abort();
  await aborted;
});

test('an address that cannot be listened on is an error that names it', async () => {
  await assert.rejects(QmpListener.listen({ kind: 'unix', path: '/nonexistent/qmp' }), {
    code: 'QEMU_QMP_CONNECT',
    message: /\/nonexistent\/qmp/,
  });
});
