import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DiskConfig } from '../../../../src/config/device-config.ts';
import { parseMachineConfig } from '../../../../src/config/machine-config.ts';
import { readSources, type SourceDisk } from '../../../../src/machine/copy/source-disk.ts';
import { tempDir } from '../../../support/temp-root.ts';
import { fakeDomain } from '../../domain/support.ts';

/** The disks of a machine's file. */
function disksOf(text: string): readonly DiskConfig[] {
  return parseMachineConfig(text, { path: '/etc/qemu/web-qemu.cfg' }).config?.disks ?? [];
}

/** A node as `query-named-block-nodes` has it. */
const node = (name: string, drv: string, file: string, more: object = {}) => ({
  'node-name': name,
  drv,
  file,
  ro: false,
  image: { filename: file, 'virtual-size': 1000, ...(drv === 'qcow2' && QCOW2) },
  ...more,
});

const QCOW2 = { 'format-specific': { data: { compat: '1.1' } } };

/** The two nodes of a drive of the command line. */
const drive = (id: string, drv: string, file: string, more: object = {}) => [
  node(`${id}-fmt`, drv, file, more),
  node(`${id}-file`, 'file', file),
];

/** A drive as `query-block` has it. */
const block = (device: string, name: string, qdev = '') => ({ device, qdev, inserted: { 'node-name': name } });

async function sources(
  t: TestContext,
  nodes: readonly object[],
  blocks: readonly object[] | undefined,
  disks: readonly DiskConfig[],
): Promise<readonly SourceDisk[]> {
  const { domain } = await fakeDomain(t, { 'query-named-block-nodes': () => nodes, 'query-block': () => blocks ?? [] });
  return readSources(domain, disks, blocks !== undefined, { timeoutMs: 5_000 });
}

test('each drive is found by its name or its device, in the order of the keys, and discs are left out', async (t) => {
  const disks = disksOf('DSK1=/srv/one.qcow2\nDSK2=/srv/two.img\n');
  const file = join(tempDir(t), 'ten.qcow2');
  writeFileSync(file, '');
  const found = await sources(
    t,
    [
      ...drive('dsk10', 'qcow2', file),
      ...drive('dsk2', 'raw', '/srv/two.img'),
      ...drive('dsk1', 'qcow2', '/srv/one.qcow2'),
      ...drive('cdr1', 'raw', '/srv/disc.iso'),
    ],
    [
      block('', 'dsk10-fmt', '/machine/peripheral/dsk10-dev/virtio-backend'),
      block('dsk2', 'dsk2-fmt'),
      block('dsk1', 'dsk1-fmt'),
      block('cdr1', 'cdr1-fmt', 'cdr1-dev'),
    ],
    disks,
  );
  assert.deepEqual(
    found.map(({ key, path, format, canTrack, sizeBytes }) => [key, path, format, canTrack, sizeBytes]),
    [
      ['DSK1', '/srv/one.qcow2', 'qcow2', true, 1000],
      ['DSK2', '/srv/two.img', 'raw', false, 1000],
      ['DSK10', file, 'qcow2', true, 1000],
    ],
  );
});

test('of a disk that the cfg does not name no place is believed where nothing is', async (t) => {
  const nodes = drive('dsk3', 'qcow2', '/nowhere/passwd');
  const [found] = await sources(t, nodes, [block('dsk3', 'dsk3-fmt')], []);
  assert.equal(found?.path, '/dsk3');
});

test('with snapshot=on the image is copied, not what the guest has written above it, and has no bitmap', async (t) => {
  const disks = disksOf('DSK1=/srv/one.qcow2,snapshot=on\n');
  const overlay = node('#block5', 'qcow2', 'json:{"file": {"driver": "file", "filename": "/var/tmp/vl.Ab12cD"}}');
  const nodes = [overlay, ...drive('dsk1', 'qcow2', '/srv/one.qcow2')];
  const [found] = await sources(t, nodes, [block('dsk1', '#block5')], disks);
  assert.deepEqual([found?.node, found?.canTrack], ['dsk1-fmt', false]);
  // An external snapshot is not one of those.
  const above = node('dsk1-snap', 'qcow2', '/srv/one.snap.qcow2');
  const [laid] = await sources(
    t,
    [above, ...drive('dsk1', 'qcow2', '/srv/one.qcow2')],
    [block('dsk1', 'dsk1-snap')],
    disksOf('DSK1=/srv/one.snap.qcow2\n'),
  );
  assert.deepEqual([laid?.node, laid?.canTrack], ['dsk1-snap', true]);
});

test('what cannot hold a bitmap that outlives QEMU is known: raw, the old qcow2, and what is read-only', async (t) => {
  const disks = disksOf('DSK1=/a.qcow2\nDSK2=/b.qcow2\n');
  const old = { image: { 'virtual-size': 1, 'format-specific': { data: { compat: '0.10' } } } };
  const found = await sources(
    t,
    [...drive('dsk1', 'qcow2', '/a.qcow2', old), ...drive('dsk2', 'qcow2', '/b.qcow2', { ro: true })],
    undefined,
    disks,
  );
  assert.deepEqual(
    found.map(({ key, canTrack }) => [key, canTrack]),
    [
      ['DSK1', false],
      ['DSK2', false],
    ],
  );
});

test('the fingerprint of what is below an image changes when that is written to', async (t) => {
  const base = join(tempDir(t), 'base.qcow2');
  writeFileSync(base, 'old');
  const disks = disksOf('DSK1=/top.qcow2\n');
  const image = { 'virtual-size': 1, ...QCOW2, 'backing-image': { filename: base } };
  const look = async () =>
    (await sources(t, drive('dsk1', 'qcow2', '/top.qcow2', { image }), undefined, disks))[0]?.bases;
  const first = await look();
  assert.match(first ?? '', /^[0-9a-f]{16}$/);
  assert.equal(await look(), first);
  utimesSync(base, 1, 1);
  assert.notEqual(await look(), first);
  const [alone] = await sources(t, drive('dsk1', 'qcow2', '/top.qcow2'), undefined, disks);
  assert.equal(alone?.bases, '0');
});
