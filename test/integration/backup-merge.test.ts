import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { pointsOf } from '../../src/machine/backup/destination.ts';
import { keepNewest, removePoint, settleMerge, withBackups } from '../../src/machine/backup/merge.ts';
import { writeMergeMark } from '../../src/machine/backup/merge-mark.ts';
import { hashFile } from '../../src/system/files/hash-file.ts';
import { contentOf, makeChain } from '../support/backup-points.ts';

let dest: string;
beforeEach(() => {
  dest = mkdtempSync(join(tmpdir(), 'qi-merge-'));
});
afterEach(() => rmSync(dest, { recursive: true }));

/** Four points of two disks; the second one does not change at all after the first. */
const WRITES = [
  [
    { byte: 1, atMiB: 0, sizeMiB: 4 },
    { disk: 2, byte: 9, atMiB: 0, sizeMiB: 1 },
  ],
  [{ byte: 2, atMiB: 1, sizeMiB: 2 }],
  [{ byte: 3, atMiB: 2, sizeMiB: 4 }],
  [{ byte: 4, atMiB: 8, sizeMiB: 1 }],
];

function contents(points: readonly string[]): string[] {
  return points.flatMap((point) => [1, 2].map((disk) => contentOf(dest, point, { disk })));
}

/** Each point is as its manifest has it, and its images have no errors. */
async function assertWhole(names: readonly string[]): Promise<void> {
  const points = pointsOf(dest, 'web');
  assert.deepEqual(
    points.map(({ point }) => point),
    names,
  );
  for (const { folder, manifest, error } of points) {
    assert.equal(error, undefined);
    for (const { file, sizeBytes, sha256 } of manifest?.disks ?? []) {
      assert.deepEqual(await hashFile(join(folder, file)), { sizeBytes, sha256 });
      execFileSync('qemu-img', ['check', '-q', join(folder, file)]);
      assert.equal(statSync(join(folder, file)).uid, process.getuid?.());
    }
  }
  assert.deepEqual(readdirSync(join(dest, 'web')).toSorted(), names, 'nothing else is left');
}

test('a point in the middle, the oldest and the newest are removed, and all others stay as they are', async () => {
  const [first = '', second = '', third = '', fourth = ''] = makeChain(dest, WRITES, { disks: 2 });
  const before = contents([first, third, fourth]);
  assert.deepEqual(await removePoint(dest, 'web', second), { point: second, mergedInto: third });
  await assertWhole([first, third, fourth]);
  assert.deepEqual(contents([first, third, fourth]), before);
  assert.equal(pointsOf(dest, 'web')[1]?.manifest?.parent, first);

  assert.deepEqual(await removePoint(dest, 'web', first), { point: first, mergedInto: third });
  await assertWhole([third, fourth]);
  assert.deepEqual(contents([third, fourth]), before.slice(2));
  const [oldest] = pointsOf(dest, 'web');
  assert.deepEqual([oldest?.manifest?.kind, oldest?.manifest?.parent], ['full', undefined]);

  assert.deepEqual(await removePoint(dest, 'web', fourth), { point: fourth, mergedInto: undefined });
  await assertWhole([third]);
  assert.deepEqual(contents([third]), before.slice(2, 4));
  await assert.rejects(removePoint(dest, 'web', fourth), { code: 'QEMU_MACHINE_UNKNOWN' });
});

test('what has changed since the backup is not merged, and gets no checksum as if it were right', async () => {
  const [first = '', second = ''] = makeChain(dest, WRITES.slice(0, 2), { disks: 2 });
  for (const point of [first, second]) {
    const image = join(dest, 'web', point, 'dsk1.qcow2');
    const whole = readFileSync(image);
    const rotten = Buffer.from(whole);
    rotten.writeUInt8(rotten.readUInt8(rotten.length - 70_000) ^ 1, rotten.length - 70_000);
    writeFileSync(image, rotten);
    await assert.rejects(removePoint(dest, 'web', first), { code: 'QEMU_IO', message: /has changed since the backup/ });
    writeFileSync(image, whole);
    await assertWhole([first, second]);
  }
});

test('only the newest points are kept', async () => {
  const points = makeChain(dest, WRITES, { disks: 2 });
  const before = contents(points.slice(2));
  assert.deepEqual(
    (await keepNewest(dest, 'web', 2)).map(({ mergedInto }) => mergedInto),
    [points[1], points[2]],
  );
  await assertWhole(points.slice(2));
  assert.deepEqual(contents(points.slice(2)), before);
  assert.deepEqual(await keepNewest(dest, 'web', 2), []);
});

test('a merge that failed or was interrupted is gone on with, and the next point is complete meanwhile', async () => {
  const [first = '', second = '', third = ''] = makeChain(dest, WRITES.slice(0, 3), { disks: 2 });
  const before = contents([second, third]);
  const aside = join(dest, 'aside');
  // The second disk cannot be merged, after the first one was.
  renameSync(join(dest, 'web', first, 'dsk2.qcow2'), aside);
  writeFileSync(join(dest, 'web', first, 'dsk2.qcow2'), 'damaged');
  await assert.rejects(removePoint(dest, 'web', first), { code: 'QEMU_IO' });
  assert.equal(pointsOf(dest, 'web')[0]?.error, undefined, 'nothing was begun');
  writeMergeMark(join(dest, 'web'), { from: first, into: second });
  await assert.rejects(settleMerge(dest, 'web'), { code: 'QEMU_IO' });
  assert.ok(!existsSync(join(dest, 'web', first, 'dsk1.qcow2')));
  const [merging] = pointsOf(dest, 'web');
  assert.match(merging?.error?.message ?? '', /is being merged into/);
  renameSync(aside, join(dest, 'web', first, 'dsk2.qcow2'));
  assert.deepEqual(contents([second, third]), before, 'half merged');

  await settleMerge(dest, 'web');
  await assertWhole([second, third]);
  assert.deepEqual(contents([second, third]), before);
});

test('two commands on the same backups are told of each other', async () => {
  makeChain(dest, WRITES.slice(0, 1));
  await withBackups(dest, 'web', { purpose: 'backup' }, async () => {
    await assert.rejects(
      withBackups(dest, 'web', { purpose: 'backup' }, async () => undefined),
      { code: 'QEMU_LOCKED', message: /The backups of machine "web" in .* are in use/ },
    );
  });
});

test('what a header has instead of the backing file in the manifest is not opened', async () => {
  const [first = '', second = ''] = makeChain(dest, WRITES.slice(0, 2));
  const secret = join(dest, 'secret.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', secret, '16M']);
  const top = join(dest, 'web', second, 'dsk1.qcow2');
  execFileSync('qemu-img', ['rebase', '-u', '-F', 'qcow2', '-b', secret, top]);
  await assert.rejects(removePoint(dest, 'web', first), {
    code: 'QEMU_IO',
    message: /rests on ".*secret\.qcow2", but/,
  });
});

test('several points that rest on one are named', async () => {
  const [first = '', second = ''] = makeChain(dest, WRITES.slice(0, 2));
  execFileSync('cp', ['-a', join(dest, 'web', second), join(dest, 'web', '20261120-000000')]);
  await assert.rejects(removePoint(dest, 'web', first), { code: 'QEMU_IO', message: /Several backups rest on web@/ });
});
