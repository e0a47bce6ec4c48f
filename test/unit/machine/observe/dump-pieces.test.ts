import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { dumpPieces, mostDumped } from '../../../../src/machine/observe/dump-pieces.ts';

const GIB = 1024 ** 3;

async function sizeOf(pieces: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const piece of pieces) size += piece.length;
  return size;
}

function dripping(t: TestContext, everyMs: number): PassThrough {
  const stream = new PassThrough();
  const timer = setInterval(() => stream.write('x'), everyMs);
  t.after(() => clearInterval(timer));
  return stream;
}

test('a dump is taken whole, and no more than it may have', async () => {
  const limits = { mostBytes: 3_000_000, silenceMs: 60_000 };
  const whole = new PassThrough({ highWaterMark: 4_000_000 });
  for (const _ of [1, 2, 3]) whole.write(Buffer.alloc(1_000_000));
  whole.end();
  assert.equal(await sizeOf(dumpPieces(whole, limits)), 3_000_000);
  const long = new PassThrough({ highWaterMark: 4_000_000 });
  long.end(Buffer.alloc(3_000_001));
  await assert.rejects(sizeOf(dumpPieces(long, limits)), { code: 'QEMU_COMMAND_FAILED' });
});

test('a QEMU that falls silent in a dump is given up, and so is one that sends a byte at a time', async (t) => {
  const limits = { mostBytes: 1000, silenceMs: 50 };
  await assert.rejects(sizeOf(dumpPieces(new PassThrough(), limits)), { code: 'QEMU_TIMEOUT' });
  await assert.rejects(sizeOf(dumpPieces(dripping(t, 5), { ...limits, mostBytes: 1e9 })), { code: 'QEMU_TIMEOUT' });
});

test('how much a dump may have is what the machine was started with, whatever QEMU says', () => {
  const config = { memoryBytes: 2 * GIB, maxMemoryBytes: undefined, custom: [] };
  assert.equal(mostDumped(config, 64 * GIB), 3 * GIB);
  assert.equal(mostDumped({ ...config, maxMemoryBytes: 8 * GIB }, 64 * GIB), 9 * GIB);
  const custom = [{ words: ['-m', '4G'], line: 1 }] as never;
  assert.equal(mostDumped({ ...config, custom }, 64 * GIB), 65 * GIB);
  assert.equal(mostDumped(undefined, 64 * GIB), 65 * GIB);
});
