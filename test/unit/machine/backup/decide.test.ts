import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitmapName, parseBitmapName } from '../../../../src/machine/backup/bitmap-name.ts';
import { decide, type LastPoint, outdatedBitmaps } from '../../../../src/machine/backup/decide.ts';
import type { BackupManifest } from '../../../../src/machine/backup/manifest.ts';
import type { SourceDisk } from '../../../../src/machine/copy/source-disk.ts';
import type { DirtyBitmap } from '../../../../src/machine/disks/disk-layer.ts';

const POINT = '20260101-000000';
const CHAIN = `${POINT}-00000000`;
const NEXT = '20260102-000000';

function bitmap(name: string, change: Partial<DirtyBitmap> = {}): DirtyBitmap {
  const good = { persistent: true, recording: true, busy: false, inconsistent: false };
  return { name, ...good, granularityBytes: 65_536, dirtyBytes: 0, ...change };
}

function source(change: Partial<SourceDisk> = {}): SourceDisk {
  return {
    key: 'DSK1',
    node: 'dsk1-fmt',
    sizeBytes: 1024,
    path: '/srv/one.qcow2',
    format: 'qcow2',
    isEncrypted: false,
    canTrack: true,
    bitmaps: [bitmap(bitmapName({ chain: CHAIN, point: POINT, bases: '0' }))],
    bases: '0',
    ...change,
  };
}

const RAW = source({ key: 'DSK2', node: 'dsk2-fmt', format: 'raw', canTrack: false, bitmaps: [] });

function last(disks: readonly SourceDisk[]): LastPoint {
  const manifest: BackupManifest = {
    version: 1,
    name: 'web',
    shortName: 'web',
    createdAt: '2026-01-01T00:00:00.000Z',
    kind: 'full',
    chain: CHAIN,
    quiesced: false,
    qemuVersion: '7.2.0',
    compressed: false,
    files: [],
    disks: disks.map(({ key, sizeBytes, path, format }) => ({
      key,
      file: `${key.toLowerCase()}.qcow2`,
      format: 'qcow2',
      virtualSizeBytes: sizeBytes,
      sizeBytes: 1,
      sha256: '0'.repeat(64),
      sourcePath: path,
      sourceFormat: format,
    })),
  };
  return { point: POINT, manifest };
}

function plan(
  sources: readonly SourceDisk[],
  before: LastPoint | undefined,
  isFull = false,
): ReturnType<typeof decide> {
  return decide({ point: NEXT, newChain: `${NEXT}-1`, sources, last: before, isFull });
}

test('the first point is full without a reason, and its bitmaps name chain and point', () => {
  const { kind, reason, disks, chain } = plan([source(), RAW], undefined);
  assert.deepEqual([kind, reason, chain], ['full', undefined, `${NEXT}-1`]);
  assert.deepEqual(
    disks.map(({ file, since, track, backing }) => [file, since, track, backing]),
    [
      ['dsk1.qcow2', undefined, `qi.backup.${NEXT}-1.${NEXT}.0`, undefined],
      ['dsk2.qcow2', undefined, undefined, undefined],
    ],
  );
});

test('a bitmap of the last point makes an incremental one, in which a raw disk is whole', () => {
  const { kind, parent, chain, disks } = plan([source(), RAW], last([source(), RAW]));
  assert.deepEqual([kind, parent, chain], ['incremental', POINT, CHAIN]);
  assert.deepEqual(
    disks.map(({ since, backing, track }) => [since, backing, track]),
    [
      [`qi.backup.${CHAIN}.${POINT}.0`, `../${POINT}/dsk1.qcow2`, `qi.backup.${CHAIN}.${NEXT}.0`],
      [undefined, undefined, undefined],
    ],
  );
});

test('whatever makes the bitmaps worthless leads to a full backup that says why', () => {
  const name = bitmapName({ chain: CHAIN, point: POINT, bases: '0' });
  const cases: [readonly SourceDisk[], LastPoint, RegExp][] = [
    [[source({ bitmaps: [] })], last([source()]), /DSK1 has no bitmap of 20260101-000000: the image was replaced/],
    [
      [source({ bitmaps: [], path: '/srv/one.later.qcow2' })],
      last([source()]),
      /DSK1 was "\/srv\/one.qcow2" at 20260101-000000 and is "\/srv\/one.later.qcow2" now/,
    ],
    [
      [source({ bitmaps: [bitmap(name, { inconsistent: true })] })],
      last([source()]),
      /is not complete: QEMU or the host/,
    ],
    [[source({ bitmaps: [bitmap(name, { recording: false })] })], last([source()]), /is in use/],
    [[source({ bitmaps: [bitmap(name, { persistent: false })] })], last([source()]), /is in use/],
    [[source({ bases: 'abc' })], last([source()]), /the image that DSK1 rests on has changed/],
    [[source({ sizeBytes: 2048 })], last([source()]), /DSK1 had 1024 bytes at 20260101-000000 and has 2048 now/],
    [[source(), RAW], last([source()]), /DSK2 is not in the last point/],
    [[source()], last([source(), RAW]), /no longer has DSK2/],
    [[RAW], last([RAW]), /only qcow2 images can remember/],
    [[source()], { point: POINT, problem: 'cannot be continued: x' }, /the last point, .*, cannot be continued: x/],
    [
      [source({ bitmaps: [bitmap(bitmapName({ chain: 'other', point: POINT, bases: '0' }))] })],
      last([source()]),
      /has no bitmap/,
    ],
  ];
  for (const [sources, before, expected] of cases) {
    const { kind, reason, chain, disks } = plan(sources, before);
    assert.equal(kind, 'full', String(expected));
    assert.match(reason ?? '', expected);
    assert.equal(chain, `${NEXT}-1`);
    assert.ok(disks.every(({ since, backing }) => since === undefined && backing === undefined));
  }
  assert.equal(plan([source()], last([source()]), true).reason, 'asked for');
});

test('only bitmaps that no backup can use are dropped; those of three other folders stay', () => {
  const of = (chain: string, point: string, change = {}): DirtyBitmap =>
    bitmap(bitmapName({ chain, point, bases: '0' }), change);
  const own = of(CHAIN, NEXT);
  const others = ['a', 'b', 'c', 'd'].map((chain) => of(chain, POINT));
  const bitmaps = [bitmap("a user's"), of(CHAIN, POINT), own, ...others, of('e', POINT, { inconsistent: true })];
  const names = outdatedBitmaps({ bitmaps }, { chain: CHAIN, point: NEXT }, undefined);
  assert.deepEqual(
    names.map((name) => parseBitmapName(name)?.chain),
    [CHAIN, 'a', 'b', 'e'],
  );
  const replaced = outdatedBitmaps({ bitmaps: [own, of('old', POINT)] }, { chain: CHAIN, point: NEXT }, 'old');
  assert.deepEqual(replaced, [bitmapName({ chain: 'old', point: POINT, bases: '0' })]);
});

test('a name that is not one of our bitmaps is none', () => {
  for (const name of [
    '',
    'qi.backup.',
    'qi.backup.a.b.0',
    `qi.backup.a.${POINT}`,
    `qi.backup.a.${POINT}.0.1`,
    'other',
  ]) {
    assert.equal(parseBitmapName(name), undefined, name);
  }
});
