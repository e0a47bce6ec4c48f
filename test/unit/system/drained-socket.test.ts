import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DrainedSocket } from '../../../src/system/files/drained-socket.ts';
import { tempDir } from '../../support/temp-root.ts';

/** Both ends of a unix socket; the near one is drained. */
async function socketPair(t: TestContext): Promise<{ near: DrainedSocket; far: Socket }> {
  const server = createServer();
  const path = join(tempDir(t), 's');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const socket = connect(path);
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  t.after(() => {
    socket.destroy();
    far.destroy();
  });
  return { near: new DrainedSocket(socket), far };
}

async function readAll(stream: DrainedSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a peer is never held up: what nobody reads is taken, and the last mebibyte of it kept', async (t) => {
  const { near, far } = await socketPair(t);
  const total = 5 * 1024 * 1024;
  for (let at = 0; at < total; at += 64 * 1024) far.write(Buffer.alloc(64 * 1024, at / (64 * 1024)));
  far.end();
  await once(far, 'finish');
  await new Promise<void>((resolve) => {
    far.once('close', () => resolve());
    far.resume();
    near.end();
  });
  const kept = await readAll(near);
  assert.equal(kept.length + near.droppedBytes, total);
  assert.ok(kept.length <= 1024 * 1024 && kept.length >= 960 * 1024, `${kept.length}`);
  assert.equal(kept.at(-1), (total - 1) >> 16);
});

test('a reader that listens gets all of it, in order, and can answer', async (t) => {
  const { near, far } = await socketPair(t);
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
  const answer = once(far, 'data');
  near.write('hello');
  assert.equal(String((await answer)[0]), 'hello');
  far.end(sent);
  assert.ok((await readAll(near)).equals(sent));
});

test('a peer that resets the connection ends the stream without an error', async (t) => {
  const { near, far } = await socketPair(t);
  near.write('never read');
  await once(far, 'readable');
  // What is not read when a unix socket is closed makes a reset of it.
  far.destroy();
  assert.equal((await readAll(near)).length, 0);
  assert.equal(near.destroyed, true);
});

test('leaving a loop over it keeps the stream: the next loop goes on', async (t) => {
  const { near, far } = await socketPair(t);
  far.write('one');
  for await (const chunk of near) {
    assert.equal(String(chunk), 'one');
    break;
  }
  assert.equal(near.destroyed, false);
  far.end('two');
  assert.equal(String(await readAll(near)), 'two');
});
