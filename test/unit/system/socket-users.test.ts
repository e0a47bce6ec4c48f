import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectionsIn, countConnections } from '../../../src/system/process/socket-users.ts';

test('connections to a socket are counted by its path, blanks and all', () => {
  const line = (state: string, path: string): string =>
    `0000000000000000: 00000003 00000000 00000000 0001 ${state} 12345 ${path}`;
  const text = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '0000000000000000: 00000002 00000000 00010000 0001 01   321 /run/a b',
    line('03', '/run/a b'),
    line('03', '/run/a b'),
    line('03', '/run/a'),
    '0000000000000000: 00000003 00000000 00000000 0001 03 25285960',
    '',
  ].join('\n');
  assert.deepEqual(
    ['/run/a b', '/run/a', '/run/c'].map((path) => connectionsIn(text, path)),
    [2, 1, 0],
  );
});

test('a connection counts while it is open', async () => {
  const dir = mkdtempSync('/tmp/qi-socket-');
  const path = join(dir, 's');
  const server = createServer();
  try {
    await new Promise<void>((resolve) => server.listen(path, resolve));
    assert.equal(countConnections(path), 0);
    const accepted = new Promise((resolve) => server.once('connection', resolve));
    const client = connect(path);
    await accepted;
    assert.equal(countConnections(path), 1);
    client.destroy();
  } finally {
    server.close();
    rmSync(dir, { recursive: true });
  }
});
