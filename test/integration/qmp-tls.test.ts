import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { QmpClient } from '../../src/qmp/client.ts';
import { openStream } from '../../src/qmp/transport.ts';
import { makeFolder, spawnQemu } from './qmp-monitor.ts';

const key = randomBytes(32);
const psk = { identity: 'qemu', key };

test('TLS with a pre-shared key: commands, events and 200 KB answers come through', async (t) => {
  const address = { kind: 'tcp', host: '127.0.0.1', port: await startTlsMonitor(t, 'control'), psk } as const;
  await using client = await QmpClient.connect(address, { retry: true, timeoutMs: 20_000 });
  for (let n = 0; n < 20; n += 1) assert.equal((await client.execute('query-status')).status, 'prelaunch');
  const calls = Array.from({ length: 50 }, () => client.execute('query-status'));
  assert.equal((await Promise.all(calls)).length, 50);
  assert.ok(JSON.stringify(await client.execute('query-qmp-schema')).length > 150_000);
  const since = client.eventCount;
  await client.execute('cont');
  await client.waitForEvent('RESUME', undefined, { since });
});

test('TLS: a wrong key, a wrong identity and a client without TLS are not let in', async (t) => {
  const port = await startTlsMonitor(t, 'control');
  const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
  await (await QmpClient.connect({ ...address, psk }, { retry: true, timeoutMs: 20_000 })).close();
  const refused = { code: 'QEMU_QMP_CONNECT', hint: /does the key belong to this machine/ };
  await assert.rejects(QmpClient.connect({ ...address, psk: { ...psk, key: randomBytes(32) } }), refused);
  await assert.rejects(QmpClient.connect({ ...address, psk: { ...psk, identity: 'other' } }), refused);
  await assert.rejects(QmpClient.connect(address, { timeoutMs: 200 }), { code: 'QEMU_TIMEOUT', hint: /may want TLS/ });
});

test('TLS: several characters written at once to a human monitor are all read', async (t) => {
  const port = await startTlsMonitor(t, 'readline');
  const { signal } = new AbortController();
  const address = { kind: 'tcp', host: '127.0.0.1', port, psk } as const;
  const stream = await openStream(address, { retry: true, signal });
  stream.write('info name\ninfo status\n');
  let text = '';
  for await (const chunk of stream) {
    text += chunk;
    if (text.includes('VM status: paused (prelaunch)')) break;
  }
  assert.match(text, /prelaunch/);
});

/** A QEMU whose TLS monitor listens on the port that is returned. */
async function startTlsMonitor(t: TestContext, mode: 'control' | 'readline'): Promise<number> {
  const folder = makeFolder(t);
  writeFileSync(`${folder}/keys.psk`, `qemu:${key.toString('hex')}\n`, { mode: 0o600 });
  const port = await findFreePort();
  spawnQemu(t, [
    ...['-machine', 'none', '-S', '-object', `tls-creds-psk,id=tls0,dir=${folder},endpoint=server`],
    ...['-chardev', `socket,id=mon,host=127.0.0.1,port=${port},server=on,wait=off,tls-creds=tls0`],
    ...['-mon', `chardev=mon,mode=${mode}`],
  ]);
  return port;
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}
