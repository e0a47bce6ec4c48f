import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { hasIpv6Loopback, isPortFree } from '../../../src/system/ports.ts';
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

for (const taken of ['127.0.0.1', '0.0.0.0']) {
  test(`a port that another listens to on ${taken} is not free on 127.0.0.1`, async (t) => {
    const { server, port } = await listen(t, taken);
    assert.equal(await isPortFree(port, ['127.0.0.1']), false);
    assert.equal(await isPortFree(port, ['::1', '127.0.0.1']), false);
    await close(server);
    assert.equal(await isPortFree(port, ['127.0.0.1']), true);
  });
}

test('a port that is taken on ::1 alone is free on 127.0.0.1 alone', { skip: !hasIpv6Loopback() }, async (t) => {
  const { port } = await listen(t, '::1');
  assert.equal(await isPortFree(port, ['127.0.0.1']), true);
  assert.equal(await isPortFree(port, ['127.0.0.1', '::1']), false);
});

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
  assert.equal(await isPortFree(port, ['127.0.0.1']), true);
});

test('an IPv6 address that the host does not have does not count', async (t) => {
  const { server, port } = await listen(t, '127.0.0.1');
  await close(server);
  // 2001:db8::/32 is for documentation (RFC 3849).
  assert.equal(await isPortFree(port, ['127.0.0.1', '2001:db8::1']), true);
});

test('an IPv4 address that the host does not have is an error, not a taken port', async () => {
  // 192.0.2.0/24 is for documentation (RFC 5737).
  await assert.rejects(isPortFree(30_320, ['192.0.2.1']), { code: 'QEMU_IO' });
});

test('a number that is no port is not free', async () => {
  for (const port of [0, -1, 65_536]) assert.equal(await isPortFree(port, ['127.0.0.1']), false);
});
