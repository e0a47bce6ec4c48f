import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ancestry, dependentsOf, filesOfDisk, findPoint } from '../../../../src/machine/backup/chain.ts';
import { pointsOf, pointsWithMerging, readDestination } from '../../../../src/machine/backup/destination.ts';
import { type BackupManifest, renderManifest } from '../../../../src/machine/backup/manifest.ts';
import { readMergeMark, removeMergeMark, writeMergeMark } from '../../../../src/machine/backup/merge-mark.ts';
import { finishSwaps, readSwaps } from '../../../../src/machine/restore/swap.ts';
import { partFile } from '../../../../src/machine/work/part-files.ts';
import { tempDir } from '../../../support/temp-root.ts';

const POINTS = ['20261101-030000', '20261102-030000', '20261103-030000'] as const;

/** The header of an empty image: docs/interop/qcow2.txt of QEMU. */
function image(backing?: string): Buffer {
  const bytes = Buffer.alloc(65_536);
  bytes.write('QFI\xfb', 'latin1');
  bytes.writeUInt32BE(3, 4);
  if (backing !== undefined) {
    bytes.writeBigUInt64BE(256n, 8);
    bytes.writeUInt32BE(backing.length, 16);
    bytes.write(backing, 256, 'latin1');
    // Header extension: the format of the backing file.
    bytes.writeUInt32BE(0xe2792aca, 104);
    bytes.writeUInt32BE(5, 108);
    bytes.write('qcow2', 112, 'latin1');
  }
  bytes.writeUInt32BE(16, 20);
  bytes.writeBigUInt64BE(1_048_576n, 24);
  bytes.writeUInt32BE(4, 96);
  bytes.writeUInt32BE(104, 100);
  return bytes;
}

function writePoint(dest: string, at: number, parent = POINTS[at - 1]): string {
  const point = POINTS[at] ?? '';
  const folder = join(dest, 'web', point);
  mkdirSync(folder, { recursive: true });
  const backing = parent === undefined ? undefined : `../${parent}/dsk1.qcow2`;
  const bytes = image(backing);
  writeFileSync(join(folder, 'dsk1.qcow2'), bytes);
  const manifest: BackupManifest = {
    version: 1,
    name: 'web',
    shortName: 'web',
    createdAt: '2026-11-27T03:04:05.000Z',
    ...(parent === undefined ? { kind: 'full' as const } : { kind: 'incremental' as const, parent }),
    chain: 'c0ffee',
    quiesced: false,
    qemuVersion: '7.2.22',
    compressed: false,
    disks: [
      {
        key: 'DSK1',
        file: 'dsk1.qcow2',
        format: 'qcow2',
        virtualSizeBytes: 1_048_576,
        sizeBytes: bytes.length,
        sha256: 'a'.repeat(64),
        sourcePath: '/srv/web.qcow2',
        sourceFormat: 'qcow2',
        ...(backing === undefined ? {} : { backing }),
      },
    ],
    files: [],
  };
  writeFileSync(join(folder, 'manifest.json'), renderManifest(manifest));
  return folder;
}

test('points and what they rest on are found, and what does not fit is named', (t) => {
  const dest = tempDir(t);
  const folders = POINTS.map((_, at) => writePoint(dest, at));
  const points = pointsOf(dest, 'web');
  assert.deepEqual(
    points.map(({ point }) => point),
    POINTS,
  );
  const newest = findPoint(points, undefined);
  const chain = ancestry(points, newest);
  assert.deepEqual(
    filesOfDisk(chain, 'DSK1'),
    folders.toReversed().map((folder) => join(folder, 'dsk1.qcow2')),
  );
  assert.deepEqual(
    dependentsOf(points, POINTS[0]).map(({ point }) => point),
    POINTS.slice(1),
  );
  assert.throws(() => findPoint(points, '20260101-000000'), { code: 'QEMU_MACHINE_UNKNOWN', message: /no backup/ });
  assert.throws(() => filesOfDisk(chain, 'DSK2'), { message: /it has no DSK2/ });
  assert.throws(() => filesOfDisk(chain.slice(0, 2), 'DSK1'), { message: /its chain has no end/ });
  assert.throws(() => ancestry(points.slice(1), newest), { message: /rests on 20261101-030000, which is not there/ });
  const [, second = ''] = folders;
  writeFileSync(join(second, 'dsk1.qcow2'), image('/etc/shadow'));
  assert.throws(() => filesOfDisk(chain, 'DSK1'), { message: /rests on "\/etc\/shadow", but the manifest has "\.\./ });
  writeFileSync(join(second, 'dsk1.qcow2'), 'raw');
  assert.throws(() => filesOfDisk(chain, 'DSK1'), { message: /is raw, not qcow2/ });
  writeFileSync(join(second, 'manifest.json'), '{}');
  const damaged = pointsOf(dest, 'web');
  assert.throws(() => ancestry(damaged, findPoint(damaged, undefined)), { message: /rests on .*, which is damaged/ });
  assert.throws(() => findPoint(damaged, POINTS[1]), { code: 'QEMU_IO' });
  writePoint(dest, 0, POINTS[2]);
  writePoint(dest, 1);
  const circle = pointsOf(dest, 'web');
  assert.throws(() => ancestry(circle, findPoint(circle, undefined)), { message: /rests on itself/ });
});

test('a folder of backups may have anything in it, and a point that is being merged is none', (t) => {
  const dest = tempDir(t);
  assert.throws(() => readDestination(join(dest, 'none')), { message: /There is no folder/ });
  assert.throws(() => pointsOf(dest, 'web'), { code: 'QEMU_MACHINE_UNKNOWN' });
  for (const at of [0, 1]) writePoint(dest, at);
  mkdirSync(join(dest, 'web/holiday'));
  mkdirSync(join(dest, 'lost+found'));
  symlinkSync('/etc', join(dest, 'etc'));
  mkdirSync(join(dest, 'db', POINTS[0]), { recursive: true });
  writeFileSync(
    join(dest, 'db', POINTS[0], 'manifest.json'),
    readFileSync(join(dest, 'web', POINTS[0], 'manifest.json')),
  );
  const { points, foreign } = readDestination(dest);
  assert.deepEqual(
    points.map(({ name, point, error }) => [name, point, error?.message.includes('another machine') ?? false]),
    [
      ['db', POINTS[0], true],
      ['web', POINTS[0], false],
      ['web', POINTS[1], false],
    ],
  );
  assert.deepEqual(foreign.toSorted(), ['etc', 'lost+found', 'web/holiday'].map((name) => join(dest, name)).toSorted());
  const folder = join(dest, 'web');
  writeMergeMark(folder, { from: POINTS[0], into: POINTS[1] });
  assert.match(pointsOf(dest, 'web')[0]?.error?.message ?? '', /is being merged into 20261102-030000/);
  assert.equal(pointsWithMerging(dest, 'web')[0]?.error, undefined);
  writeFileSync(join(folder, '.merging.json'), '[');
  assert.throws(() => readMergeMark(folder), { message: /is damaged/ });
  assert.ok(readDestination(dest).foreign.includes(folder));
  removeMergeMark(folder);
  assert.equal(readMergeMark(folder), undefined);
});

test('new files get their places, also when that was interrupted, and no other file does', (t) => {
  const dir = tempDir(t);
  const [path, part, tree, treePart] = ['a', '.a.part', 'tpm', '.tpm.part'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  writeFileSync(path, 'old');
  writeFileSync(part, 'new');
  for (const folder of [tree, treePart]) mkdirSync(folder);
  writeFileSync(join(tree, 'old'), '');
  const swaps = readSwaps([
    { path, part: partFile(part) },
    { path: tree, part: partFile(treePart) },
    { path },
    { path, part: { path: part } },
    1,
  ]);
  assert.equal(swaps.length, 2);
  finishSwaps(swaps);
  finishSwaps(swaps);
  assert.deepEqual([readFileSync(path, 'utf8'), readdirSync(tree), existsSync(part)], ['new', [], false]);
  writeFileSync(part, 'another');
  const [first] = swaps;
  assert.throws(() => finishSwaps([{ path, part: { path: part, id: `${first?.part.id}0` } }]), {
    message: /is not the file that was to become/,
  });
});
