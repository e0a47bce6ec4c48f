import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import { FakeRefusal } from '../../../src/testing/index.ts';
import { connectBySocket, startFake } from './support.ts';

// What version 1.3.0 of the npm package `node-qemu` gets wrong.

test('node-qemu failure 1: out-of-band execution is accepted, because it is sent as exec-oob', async (t) => {
  const { fake, client } = await connectBySocket(t);
  assert.deepEqual(await client.executeRaw('query-yank', {}, { outOfBand: true }), []);
  assert.equal((await fake.call('query-yank')).outOfBand, true);
});

test('node-qemu failure 2: connecting settles when the peer closes before its greeting or serves another', async (t) => {
  const rude = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => {
    rude.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => rude.close());
  const bound = rude.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  const closing = { kind: 'tcp', host: '127.0.0.1', port: bound.port } as const;
  await assert.rejects(QmpClient.connect(closing), { code: 'QEMU_QMP_CLOSED' });

  const { fake } = await connectBySocket(t);
  await assert.rejects(QmpClient.connect(fake.address, { timeoutMs: 20 }), { code: 'QEMU_TIMEOUT' });
});

test('node-qemu failure 3: a refused qmp_capabilities is a failure, not a success', async (t) => {
  const fake = await startFake(t, {
    commands: {
      qmp_capabilities: () => {
        throw new FakeRefusal('GenericError', "Parameter 'null' does not accept value 'oob'");
      },
    },
  });
  await assert.rejects(QmpClient.connect(fake.address), { code: 'QEMU_QMP_NEGOTIATION' });
});

test('node-qemu failure 4: execute settles after the connection was lost', async (t) => {
  const { fake, client } = await connectBySocket(t);
  (await fake.connection()).reset();
  await client.closed;
  await assert.rejects(client.execute('query-status'), { code: 'QEMU_QMP_CLOSED' });
});
