import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { QemuError } from '../../../../src/base/errors.ts';
import { losesMemory } from '../../../../src/machine/state/memory-loss.ts';
import { sendState } from '../../../../src/machine/state/send-state.ts';
import { QmpClient } from '../../../../src/qmp/client.ts';
import { FakeQmpServer } from '../../../../src/testing/index.ts';

/** A captured QEMU: whatever it sends, it says that there is more, or that it is done. */
async function capturedQemu(t: TestContext, status = 'active'): Promise<QmpClient> {
  const fake = await FakeQmpServer.start({
    commands: {
      'query-version': () => ({ qemu: { major: 10, minor: 0, micro: 0 }, package: '' }),
      'query-kvm': () => ({ enabled: false, present: false }),
      'migrate-set-parameters': () => ({}),
      migrate: () => ({}),
      'query-migrate': () => ({ status, ram: { remaining: 1, 'dirty-sync-count': 1 } }),
    },
  });
  const client = await QmpClient.connect(fake.address);
  t.after(async () => {
    await client.close();
    await fake.close();
  });
  return client;
}

/** What came, more with each look. */
function receiver(step: number) {
  let bytes = 0;
  return {
    get receivedBytes() {
      bytes += step;
      return bytes;
    },
    failure: undefined as QemuError | undefined,
    ended: () => Promise.resolve(),
    finish: (): Promise<never> => Promise.reject(new Error('not reached')),
  };
}

const OPTIONS = { socket: '/none', mostBytes: 1000, onProgress: undefined, signal: new AbortController().signal };

test('a QEMU that sends a state without end is stopped before it fills the disk', async (t) => {
  const client = await capturedQemu(t);
  await assert.rejects(sendState(client, { ...OPTIONS, receiver: receiver(100) }), {
    code: 'QEMU_COMMAND_FAILED',
    message: /sends more than 1000 bytes/,
  });
});

test('a QEMU that says it is done, and goes on sending, is stopped too', async (t) => {
  const client = await capturedQemu(t, 'completed');
  const endless = { ...receiver(0), receivedBytes: 0, finish: () => new Promise<never>(() => {}) };
  const more = setInterval(() => {
    endless.receivedBytes += 100;
  }, 1);
  t.after(() => clearInterval(more));
  await assert.rejects(sendState(client, { ...OPTIONS, receiver: endless }), {
    code: 'QEMU_COMMAND_FAILED',
    message: /sends more than 1000 bytes/,
  });
});

test('a QEMU that sends its state a byte at a time holds no save up, either', async (t) => {
  const client = await capturedQemu(t);
  await assert.rejects(sendState(client, { ...OPTIONS, receiver: receiver(1), silenceMs: 50 }), {
    code: 'QEMU_TIMEOUT',
  });
});

test('a QEMU that says it sends its state, and does not, holds no save up', async (t) => {
  const client = await capturedQemu(t);
  await assert.rejects(sendState(client, { ...OPTIONS, receiver: receiver(0), silenceMs: 50 }), {
    code: 'QEMU_TIMEOUT',
  });
});

test('a guest runs while its memory is sent only in a QEMU that misses nothing of what it changes', () => {
  assert.deepEqual(
    [losesMemory(7, false), losesMemory(7, true), losesMemory(9, false), losesMemory(10, false)],
    [true, false, false, false],
  );
});

test('what this end could not write is told, also when QEMU sees its socket closed before', async (t) => {
  const client = await capturedQemu(t, 'failed');
  const full = receiver(1);
  full.ended = async () => {
    full.failure = new QemuError('QEMU_IO', 'Cannot write: the disk is full');
  };
  await assert.rejects(sendState(client, { ...OPTIONS, receiver: full }), { code: 'QEMU_IO' });
});
