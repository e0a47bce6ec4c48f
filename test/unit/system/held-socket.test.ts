import assert from 'node:assert/strict';
import { once } from 'node:events';
import { renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { withHeldSocket } from '../../../src/system/files/held-socket.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

async function listen(t: Cleanup, path: string, greeting: string): Promise<void> {
  const server = createServer((socket) => socket.end(greeting));
  t.after(() => void server.close());
  server.listen(path);
  await once(server, 'listening');
}

async function greetingOf(path: string): Promise<string> {
  const [data] = await once(connect({ path }), 'data');
  return String(data);
}

test('a held socket is the one that was there, whatever takes its place', async (t) => {
  const dir = tempDir(t);
  const [own, foreign] = [join(dir, 'own'), join(dir, 'foreign')];
  await listen(t, own, 'own');
  await listen(t, foreign, 'foreign');
  const greeting = await withHeldSocket(own, (held) => {
    renameSync(own, join(dir, 'away'));
    symlinkSync(foreign, own);
    return greetingOf(held);
  });
  assert.equal(greeting, 'own');
  await assert.rejects(withHeldSocket(own, greetingOf), { code: 'QEMU_IO' });
});

test('what is no socket, or not there, is refused', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'file'), '');
  for (const name of ['file', 'missing']) {
    await assert.rejects(withHeldSocket(join(dir, name), greetingOf), { code: 'QEMU_IO' });
  }
});
