import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { chooseDisks } from '../../../src/machine/snapshot/choose-disks.ts';
import { planLayers } from '../../../src/machine/snapshot/outside/layers.ts';
import type { SnapshotDisk } from '../../../src/machine/snapshot/snapshot-disks.ts';
import { checkSnapshotName, defaultSnapshotName } from '../../../src/machine/snapshot/snapshot-name.ts';
import {
  forgetLayer,
  forgetSnapshot,
  noteSnapshot,
  readSnapshotNotes,
} from '../../../src/machine/snapshot/snapshot-notes.ts';
import { tempDir } from '../../support/temp-root.ts';

const DISK: SnapshotDisk = {
  key: 'DSK1',
  file: '/srv/web.qcow2',
  format: 'qcow2',
  node: 'dsk1-fmt',
  readonly: false,
  temporary: false,
  encrypted: false,
  sizeBytes: 1 << 20,
  below: [],
};

test('a snapshot without a name is named after the time, and names that files or QEMU mistake are refused', () => {
  assert.equal(defaultSnapshotName(new Date(2026, 0, 2, 3, 4, 5)), '20260102-030405');
  for (const good of ['20260102-030405', 'vor dem Umbau, ü', 'v1.2_b+c@d=e(f)']) checkSnapshotName(good);
  for (const bad of ['', ' a', 'a ', 'a  b', '-a', '.a', 'a/b', 'a\0', '12', 'a"b', 'ü'.repeat(51)]) {
    assert.throws(() => checkSnapshotName(bad), { code: 'QEMU_USAGE' }, bad);
  }
});

describe('the disks of a snapshot', () => {
  const of = (change: Partial<SnapshotDisk>, external = false, skipRaw = false): string[] =>
    chooseDisks('web', [DISK, { ...DISK, key: 'DSK2', ...change }], { external, skipRaw }).chosen.map(({ key }) => key);

  test('are all of them, or it is refused with each that is in the way', () => {
    assert.deepEqual(of({}), ['DSK1', 'DSK2']);
    assert.throws(() => of({ format: 'raw' }), { code: 'QEMU_COMMAND_FAILED', message: /DSK2 is raw/ });
    assert.throws(() => of({ readonly: true }, false, true), /DSK2 is read-only/);
    assert.throws(() => of({ temporary: true }, true), /DSK2 has snapshot=on/);
    assert.throws(() => of({ encrypted: true }, true), /DSK2 is encrypted/);
    assert.throws(() => of({ file: '/dev/sdb' }, true), /DSK2 is a block device/);
  });

  test('are those that can hold one when the raw ones are left out, and at least one', () => {
    assert.deepEqual(of({ format: 'raw' }, false, true), ['DSK1']);
    assert.deepEqual(of({ format: 'raw' }, true), ['DSK1', 'DSK2']);
    const raw = [{ ...DISK, format: 'raw' }];
    assert.throws(() => chooseDisks('web', raw, { external: false, skipRaw: true }), /no disk that can hold one/);
  });
});

test('overlays lie next to what they rest on, and are named after the disk and the snapshot alone', () => {
  const plan = (file: string, name: string, taken: string[] = [], overlay?: string): string | undefined => {
    const layers = [{ key: 'DSK1', base: '/srv/web.img', format: 'raw', overlay: overlay ?? '' }];
    const note = { name: 'before', created: '', description: undefined, quiesced: undefined, layers };
    return planLayers([{ ...DISK, file }], name, [note], (path) => taken.includes(path))[0]?.overlay;
  };
  assert.equal(plan('/srv/web.img', 'a, ü'), '/srv/web.a, ü.qcow2');
  assert.equal(plan('/srv/web.img', 'a', ['/srv/web.a.qcow2']), '/srv/web.a.2.qcow2');
  assert.equal(plan('/srv/web.before.qcow2', 'a', [], '/srv/web.before.qcow2'), '/srv/web.a.qcow2');
  assert.equal(plan('/srv/web.before.2.qcow2', 'a', [], '/srv/web.before.2.qcow2'), '/srv/web.a.qcow2');
  assert.equal(plan('/srv/web.v2.qcow2', 'a'), '/srv/web.v2.a.qcow2');
  assert.ok(Buffer.byteLength(String(plan(`/srv/${'ü'.repeat(120)}.img`, 'n'.repeat(100)))) < 240);
});

test('notes of snapshots outlive what is damaged in them, and follow layers that are merged', (t) => {
  const dir = tempDir(t);
  const files = { snapshots: join(dir, 'snapshots.json'), stateDir: dir };
  const at = (name: string): string => {
    writeFileSync(join(dir, name), '');
    return join(dir, name);
  };
  const note = { created: '', description: 'x', quiesced: true };
  const layer = (base: string, overlay: string) => ({
    key: 'DSK1',
    base: at(base),
    format: 'qcow2',
    overlay: at(overlay),
  });
  noteSnapshot(files, { ...note, name: 'inside', layers: [], hardware: ['-m 1G'] });
  noteSnapshot(files, { ...note, name: 'a', layers: [layer('0', '1')] });
  noteSnapshot(files, { ...note, name: 'b', layers: [layer('1', '2')] });
  forgetLayer(files, layer('0', '1'));
  assert.deepEqual(
    readSnapshotNotes(files).map(({ name, layers }) => [name, layers[0]?.base]),
    [
      ['inside', undefined],
      ['b', join(dir, '0')],
    ],
  );
  forgetSnapshot(files, 'inside');
  assert.deepEqual(
    readSnapshotNotes(files).map(({ name }) => name),
    ['b'],
  );
  writeFileSync(files.snapshots, readFileSync(files.snapshots, 'utf8').slice(0, 20));
  assert.deepEqual(readSnapshotNotes(files), []);
  writeFileSync(files.snapshots, '[1, {"name": "x"}, {"name": "y", "created": "", "layers": [{"key": "DSK1"}]}]');
  assert.deepEqual(
    readSnapshotNotes(files).map(({ name }) => name),
    ['y'],
  );
});
