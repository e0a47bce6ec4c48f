import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QmpClient } from '../../../src/qmp/client.ts';
import type { QmpCommands } from '../../../src/qmp/commands.ts';
import { FakeRefusal } from '../../../src/testing/index.ts';
import { connectBytewise, startFake } from './support.ts';

// The compiler is the test: each `@ts-expect-error` fails the build when the line below it is accepted.

test('execute() knows commands, arguments and answers', async (t) => {
  const { client } = await connectBytewise(t, { commands: { 'query-block': () => [{ device: '', inserted: {} }] } });
  const status: string = (await client.execute('query-status')).status;
  assert.equal(status, 'prelaunch');
  const [block] = await client.execute('query-block');
  const nodeName: string | undefined = block?.inserted?.['node-name'];
  assert.equal(nodeName, undefined);
  // @ts-expect-error there is no such member
  assert.equal(block?.nonsense, undefined);

  const refused = { code: 'QEMU_QMP_REFUSED' };
  // @ts-expect-error there is no such command
  await assert.rejects(client.execute('query-nonsense'), refused);
  // @ts-expect-error there is no such argument
  await assert.rejects(client.execute('query-status', { nonsense: 1 }), refused);
  // @ts-expect-error an argument is missing
  await assert.rejects(client.execute('device_del'), refused);
  // @ts-expect-error no value of the enumeration
  await assert.rejects(client.execute('drive-mirror', { device: 'd', target: 't', sync: 'nonsense' }), refused);
  await assert.rejects(client.execute('drive-mirror', { device: 'd', target: 't', sync: 'full', speed: 1n }), refused);
  await assert.rejects(client.execute('device_add', { driver: 'e1000', netdev: 'n0', mac: undefined }), refused);
  await assert.rejects(
    client.execute('blockdev-add', { driver: 'qcow2', file: { driver: 'file', filename: '/x', locking: 'auto' } }),
    refused,
  );
  await assert.rejects(
    // @ts-expect-error a member that this driver does not have
    client.execute('blockdev-add', { driver: 'null-co', file: 'x' }),
    refused,
  );
});

test('a union in an answer is told apart by its tag, and has a place for what is to come', () => {
  type Info = NonNullable<QmpCommands['query-block']['returns'][number]['inserted']>['image']['format-specific'];
  const describe = (info: NonNullable<Info>): string => {
    switch (info.type) {
      case 'qcow2':
        return info.data.compat;
      case 'luks':
        return info.data['cipher-alg'];
      default:
        return String(info.type);
    }
  };
  // @ts-expect-error the type is one of those known, or marked as another one
  assert.equal(describe({ type: 'of-2040' }), 'of-2040');
});

test('events are typed by name', async (t) => {
  const { client } = await connectBytewise(t);
  const since = client.eventCount;
  await client.execute('system_reset');
  const { data } = await client.waitForEvent(['SHUTDOWN', 'RESET'], undefined, { since });
  const isGuest: boolean = data.guest;
  assert.equal(isGuest, false);
  using jobs = client.events('BLOCK_JOB_COMPLETED');
  // @ts-expect-error there is no such member
  const take = async (): Promise<unknown> => (await jobs.next()).value?.data.nonsense;
  assert.equal(typeof take, 'function');
});

test('a client takes the commands and events of another QEMU', async (t) => {
  interface Commands {
    'x-novel': { arguments: { readonly level: number }; returns: { readonly done: boolean } };
  }
  interface Events {
    NOVEL: { readonly n: number };
  }
  const fake = await startFake(t, {
    commands: {
      'x-novel': ({ args, connection }) => {
        connection.sendEvent('NOVEL', { n: 5 });
        if (args['level'] === 0) throw new FakeRefusal('GenericError', 'Too low');
        return { done: true };
      },
    },
  });
  await using client = await QmpClient.connect<Commands, Events>(fake.address);
  using novel = client.events('NOVEL');
  const { done }: { done: boolean } = await client.execute('x-novel', { level: 1 });
  assert.equal(done, true);
  const first = await novel.next();
  const n: number | undefined = first.value?.data.n;
  assert.equal(n, 5);
  // @ts-expect-error this QEMU does not have it
  await assert.rejects(client.execute('query-nonsense'), { code: 'QEMU_QMP_REFUSED' });
});
