import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { guestDisk } from '../support/guest-disk.ts';
import { type JsonObject, lab } from '../support/lab.ts';

function qemuImg(...args: readonly string[]): string {
  return execFileSync('qemu-img', args, { encoding: 'utf8' });
}

const inOrder = (disk: JsonObject, ...members: readonly string[]): unknown[] => members.map((member) => disk[member]);

/** The members of a list that are objects. */
function objects(value: unknown): JsonObject[] {
  assert.ok(Array.isArray(value));
  return value;
}

test('disk list tells what each disk consists of, the same of a machine that runs and of one that does not', async (t) => {
  const root = lab(t);
  guestDisk(root.etcDir, { name: 'boot.img' });
  const [base, top] = ['base äöü.qcow2', 'top, one.qcow2'].map((name) => join(root.etcDir, name));
  assert.ok(base !== undefined && top !== undefined);
  qemuImg('create', '-q', '-f', 'qcow2', base, '16M');
  qemuImg('create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, top, '24M');
  qemuImg('bitmap', '--add', top, 'qi-chain');
  qemuImg('snapshot', '-c', 'first', top);
  root.add('web', 'DSK1=boot.img,format=raw\nDSK2="top,, one.qcow2,format=qcow2,readonly=off"\n');
  const look = async (running: boolean): Promise<void> => {
    const row = await root.one('disk', 'list', 'web');
    assert.equal(row['running'], running);
    const [boot = {}, data = {}] = objects(row['disks']);
    assert.deepEqual(inOrder(boot, 'key', 'format', 'node', 'readonly', 'bitmaps'), [
      'DSK1',
      'raw',
      running ? 'dsk1-fmt' : null,
      false,
      [],
    ]);
    assert.deepEqual(inOrder(data, 'key', 'file', 'format', 'virtualSizeBytes', 'ioStatus'), [
      'DSK2',
      top,
      'qcow2',
      24 * 1024 ** 2,
      running ? 'ok' : null,
    ]);
    assert.deepEqual(
      objects(data['chain']).map((image) => image['file']),
      [top, base],
    );
    assert.deepEqual(
      objects(data['snapshots']).map(({ name }) => name),
      ['first'],
    );
    assert.deepEqual(
      objects(data['bitmaps']).map((bitmap) => inOrder(bitmap, 'name', 'persistent', 'recording', 'inconsistent')),
      [['qi-chain', true, true, false]],
    );
    const text = await root.ok('disk', 'list', 'web');
    assert.match(text, /^web +DSK1 .* raw +ok .*boot\.img$/m);
    assert.match(text, /^ .* └ .*base äöü\.qcow2$/m);
    assert.match(text, /snapshots: first$/m);
  };
  await look(false);
  await root.ok('start', 'web');
  await look(true);
  await root.ok('stop', 'web', '--force');
});

test('disk list names an image that is missing, or leads to where it must not', async (t) => {
  const root = lab(t);
  root.add('web', 'DSK1=missing.qcow2\n');
  qemuImg('create', '-q', '-f', 'qcow2', '-u', '-F', 'raw', '-b', '/etc/shadow', join(root.etcDir, 'bad.qcow2'), '1M');
  root.add('db', 'DSK1=bad.qcow2\n');
  const [web = {}, db = {}] = await root.json('disk', 'list', 'web', 'db');
  assert.match(JSON.stringify(web['error']), /missing\.qcow2/);
  assert.match(JSON.stringify(db['error']), /leads QEMU to \\"\/etc\/shadow\\"/);
});
