import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { canConnect, hasIpv6Loopback, isPortFree } from '../../../src/system/ports.ts';
import type { Cleanup } from '../../support/temp-root.ts';

async function listen(t: Cleanup, host: string): Promise<{ server: Server; port: number }> {
  const server = createServer();
  t.after(() => void server.close());
  server.listen({ port: 0, host, ipv6Only: host.includes(':') });
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

for (const host of ['127.0.0.1', '0.0.0.0', ...(hasIpv6Loopback() ? ['::1', '::'] : [])]) {
  test(`a port that somebody listens to on ${host} is not free as long as that lasts`, async (t) => {
    const { server, port } = await listen(t, host);
    assert.equal(await isPortFree(port), false);
    await close(server);
    assert.equal(await isPortFree(port), true);
  });
}

test('a port whose last connection was closed a moment ago is free', async (t) => {
  const { server, port } = await listen(t, '127.0.0.1');
  const accepted = once(server, 'connection');
  const client = connect(port, '127.0.0.1');
  const [peer] = await accepted;
  // Who closes first has the port in TIME_WAIT.
  peer.end();
  client.resume();
  await Promise.all([once(client, 'close'), once(peer, 'close')]);
  await close(server);
  assert.equal(await isPortFree(port), true);
});

test('canConnect() says whether something listens', async (t) => {
  const { server, port } = await listen(t, '127.0.0.1');
  assert.equal(await canConnect('127.0.0.1', port), true);
  await close(server);
  assert.equal(await canConnect('127.0.0.1', port), false);
});

test('a number that is no port is not free', async () => {
  for (const port of [0, -1, 65_536]) assert.equal(await isPortFree(port), false);
});
