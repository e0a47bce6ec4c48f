import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { contentOf, makeChain } from '../support/backup-points.ts';
import { spawnCli } from '../support/cli.ts';
import { assertDocument } from '../support/documents.ts';
import { lab, programsNaming, until } from '../support/lab.ts';

const WRITES = [
  [
    { byte: 1, atMiB: 0, sizeMiB: 4 },
    { disk: 2, byte: 9, atMiB: 0, sizeMiB: 1 },
  ],
  [{ byte: 2, atMiB: 1, sizeMiB: 2 }],
];

test('a disk of a point is read over NBD while it is served, and nothing is written or left', async (t) => {
  const root = lab(t);
  const dest = join(root.dir, 'Sicherung, ü');
  const [first = '', second = ''] = makeChain(dest, WRITES, { disks: 2 });
  const before = [first, second].map((point) => contentOf(dest, point));
  for (const [point, content] of [
    [first, before[0]],
    [second, before[1]],
  ] as const) {
    const served = root.spawn('qemu-init', ['backup', 'serve', dest, `web@${point}`, '--disk', 'dsk1', '--json']);
    await until('it is served', () => served.stdout().includes(']'));
    const document: unknown = JSON.parse(served.stdout());
    assertDocument(document, 'backup-serve');
    const [{ uri, socket, disk }] = document as [{ uri: string; socket: string; disk: string }];
    assert.equal(disk, 'DSK1');
    const raw = join(root.dir, 'raw');
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', uri, raw]);
    assert.equal(createHash('sha256').update(readFileSync(raw)).digest('hex'), content);
    assert.notEqual(spawnSync('qemu-io', ['-f', 'raw', '-c', 'write 0 512', uri]).status, 0);
    if (process.getuid?.() === 0) assert.equal(lstatSync(socket).uid, 0);
    const taken = await root.init('backup', 'serve', dest, 'web', '--disk', 'DSK1', '--socket', socket);
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /exists already/);
    served.child.kill('SIGINT');
    assert.equal((await served.result).code, 0);
    assert.deepEqual(root.leftovers(), []);
  }
  assert.deepEqual(
    [first, second].map((point) => contentOf(dest, point)),
    before,
  );
  assert.match((await root.init('backup', 'serve', dest, 'web')).stderr, /several disks\n.*--disk DSKx.*DSK1, DSK2/);
  assert.equal((await root.init('backup', 'serve', dest, 'web', '--disk', 'DSK3')).code, 1);
  assert.equal((await root.init('backup', 'serve', dest, 'db', '--disk', 'DSK1')).code, 6);
});

test('a disk of a point is served until nobody has used it for some time, and who uses it is counted', async (t) => {
  const root = lab(t);
  const dest = join(root.dir, 'dest');
  makeChain(dest, WRITES.slice(0, 1));
  const socket = join(root.dir, 'old.sock');
  const served = root.spawn('qemu-init', ['backup', 'serve', dest, 'web', '--socket', socket, '--idle', '2']);
  await until('it is served', () => served.stdout().includes('nbd+unix:'));
  const reader = connect(socket);
  await until('its reader is counted', () => served.stderr().includes('connections: 1'));
  // Longer than it would wait for one.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.equal(served.child.exitCode, null);
  reader.destroy();
  assert.equal((await served.result).code, 0);
  assert.match(served.stderr(), /or 2 s without a connection\n.*connections: 1\n.*connections: 0\n/);
  assert.deepEqual(root.leftovers(), []);
  for (const idle of ['-1', 'x', '1e99']) {
    assert.equal((await root.init('backup', 'serve', dest, 'web', '--idle', idle)).code, 2);
  }
});

test('the server of a command that is killed ends, and the next one takes its place', async (t) => {
  const root = lab(t);
  const dest = join(root.dir, 'dest');
  const [point = ''] = makeChain(dest, WRITES.slice(0, 1));
  const socket = join(root.dir, 'old, ü.sock');
  const words = ['backup', 'serve', dest, `web@${point}`, '--socket', socket];
  const killed = spawnCli('qemu-init', words, { root: root.dir });
  await until('it is served', () => killed.stdout().includes('nbd+unix:'));
  assert.match(
    killed.stdout(),
    /^web@.*: DSK1 \(16 MiB, read-only\) is at nbd\+unix:\/\/\/\?socket=\S+%2C%20%C3%BC\.sock\n$/,
  );
  killed.child.kill('SIGKILL');
  await killed.result;
  await until('its server has ended', () => programsNaming(root.dir).length === 0);
  const next = root.spawn('qemu-init', words);
  await until('it is served', () => next.stdout().includes('nbd+unix:'));
  next.child.kill('SIGTERM');
  await next.result;
  assert.deepEqual(
    readdirSync(root.dir).filter((name) => name.includes('nbd') || name.includes('sock')),
    [],
  );
  // A table at a place where none can be.
  const image = join(dest, 'web', point, 'dsk1.qcow2');
  const bytes = readFileSync(image);
  bytes.writeBigUInt64BE(0x7fff0001n, 40);
  writeFileSync(image, bytes);
  const damaged = await root.init(...words);
  assert.equal(damaged.code, 1, damaged.stderr);
  assert.match(damaged.stderr, /"qemu-nbd" has ended: .*L1 table/i);
  const long = await root.init(...words.slice(0, -1), join(root.dir, 'x'.repeat(100)));
  assert.equal(long.code, 2, long.stderr);
  assert.deepEqual(root.leftovers(), []);
});
