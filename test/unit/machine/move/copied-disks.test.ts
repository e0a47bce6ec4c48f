import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../../src/config/machine-config.ts';
import type { MachineConfig } from '../../../../src/config/types.ts';
import type { DiskLayer, DiskNow } from '../../../../src/machine/disks/disk-layer.ts';
import { copiesOf } from '../../../../src/machine/move/copied-disks.ts';

function config(lines: string): MachineConfig {
  const { config: found } = parseMachineConfig(lines, { path: '/etc/qemu/web-qemu.cfg' });
  assert.ok(found);
  return found;
}

function layer(file: string, change: Partial<DiskLayer> = {}): DiskLayer {
  const common = { node: 'n', fileNode: 'f', format: 'qcow2', virtualSizeBytes: 1000, actualSizeBytes: 300 };
  return { ...common, file, bitmaps: [], snapshots: [], corrupt: false, ...change };
}

function disk(key: string, ...layers: readonly [DiskLayer, ...DiskLayer[]]): DiskNow {
  return { key, node: 'n', layers, virtualSizeBytes: 1000, ioStatus: undefined, readonly: false };
}

const snapshot = { id: '1', name: 'a', createdAt: '2026-01-01T00:00:00.000Z', vmStateBytes: 0 };

test('what a guest sees of a disk is copied into one image, in its format when QEMU writes that', () => {
  const three = config('DSK1=/a.qcow2\nDSK2="/b.img,format=raw"\nDSK3=/c.vmdk\n');
  const { disks, problems, left } = copiesOf(three, [
    disk('DSK1', layer('/a.qcow2', { snapshots: [snapshot] }), layer('/base.qcow2')),
    disk('DSK2', layer('/b.img', { format: 'raw', actualSizeBytes: undefined })),
    disk('DSK3', layer('/c.vmdk', { format: 'vmdk', actualSizeBytes: 2000 })),
  ]);
  assert.deepEqual(disks, [
    { key: 'DSK1', format: 'qcow2', sizeBytes: 1000, storedBytes: 600 },
    { key: 'DSK2', format: 'raw', sizeBytes: 1000, storedBytes: 1000 },
    { key: 'DSK3', format: 'qcow2', sizeBytes: 1000, storedBytes: 1000 },
  ]);
  assert.deepEqual(problems, []);
  assert.deepEqual(left, ['a snapshot of DSK1 is not copied: it stays in "/a.qcow2"']);
});

test('a disk that cannot be copied as it is, is in the way', () => {
  const cases = [
    ['DSK1="/a.qcow2,readonly=on"\n', '/a.qcow2', /^DSK1 cannot be copied: it is readonly/],
    ['DSK1="/a.qcow2,key=/k"\n', '/a.qcow2', /it is encrypted/],
    ['DSK1=/a.qcow2\n', '/other.qcow2', /it is "\/other\.qcow2" as it runs, but "\/a\.qcow2" in its file/],
  ] as const;
  for (const [lines, file, problem] of cases) {
    assert.match(copiesOf(config(lines), [disk('DSK1', layer(file))]).problems.join(), problem);
  }
  assert.match(copiesOf(config('DSK1=/a.qcow2\n'), []).problems.join(), /QEMU does not have it/);
});
