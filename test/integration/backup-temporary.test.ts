import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupLab, MIB } from '../support/backup-lab.ts';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { qemuImg } from '../support/odd-images.ts';

const other = debian13Qemu();

for (const [version, lines, obstacle] of [
  ['', '', undefined],
  [' on QEMU 10', `TGTARCH=${other.program}\n`, other.obstacle],
] as const) {
  test(`of a disk with snapshot=on a backup has the image, and other disks are recorded${version}`, {
    skip: obstacle ?? false,
  }, async (t) => {
    const host = backupLab(t, `${lines}DSK2=fixed.qcow2,snapshot=on\n`);
    const fixed = join(host.etcDir, 'fixed.qcow2');
    qemuImg('convert', '-f', 'raw', '-O', 'qcow2', host.write('fixed', Buffer.alloc(MIB, 7)), fixed);
    const before = readFileSync(fixed);
    const kinds: unknown[] = [];
    for (const isAgain of [false, true]) {
      await host.ok('start', 'web');
      assert.equal((await host.cmd('-c', 'qemu-io dsk2 "write -P 9 0 64k"', 'web')).code, 0);
      await host.poke(isAgain ? 1 : 2, MIB, MIB);
      kinds.push((await host.backUp())['kind']);
      await host.ok('stop', '--force', 'web');
      kinds.push((await host.backUp())['kind']);
    }
    assert.deepEqual(kinds, ['full', 'incremental', 'incremental', 'incremental']);
    for (const point of readdirSync(host.points)) {
      execFileSync('qemu-img', ['compare', '-q', join(host.points, point, 'dsk2.qcow2'), fixed]);
    }
    host.assertEqual(readdirSync(host.points).sort().at(-1));
    assert.ok(readFileSync(fixed).equals(before));
  });
}
