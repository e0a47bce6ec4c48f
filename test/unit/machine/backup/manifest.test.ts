import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type BackupManifest, renderManifest } from '../../../../src/machine/backup/manifest.ts';
import { isPointName, pointName } from '../../../../src/machine/backup/point-name.ts';
import { parseManifest, readManifest } from '../../../../src/machine/backup/read-manifest.ts';

const folder = mkdtempSync(join(tmpdir(), 'qi-manifest-'));
after(() => rmSync(folder, { recursive: true }));

const SHA256 = 'a'.repeat(64);

const MANIFEST: BackupManifest = {
  version: 1,
  name: 'web-server',
  shortName: 'web',
  createdAt: '2026-11-27T03:04:05.000Z',
  kind: 'incremental',
  parent: '20261126-030405',
  chain: 'c0ffee',
  quiesced: true,
  qemuVersion: '7.2.22',
  compressed: false,
  disks: [
    {
      key: 'DSK1',
      file: 'dsk1.qcow2',
      format: 'qcow2',
      virtualSizeBytes: 1048576,
      sizeBytes: 4096,
      sha256: SHA256,
      sourcePath: '/srv/Größe, 1 GB.img',
      sourceFormat: 'raw',
      backing: '../20261126-030405/dsk1.qcow2',
    },
  ],
  files: [
    { name: 'web-server-qemu.cfg', role: 'cfg', sizeBytes: 10, sha256: SHA256 },
    { name: 'vars.fd', role: 'firmware', sizeBytes: 10, sha256: SHA256 },
    { name: 'tpm/.lock', role: 'tpm', sizeBytes: 0, sha256: SHA256 },
  ],
};

/** The manifest with a member replaced; `undefined` removes it. */
function changed(path: string, value: unknown): string {
  const copy: unknown = JSON.parse(renderManifest(MANIFEST));
  const names = path.split('.');
  const last = names.pop() ?? '';
  const parent = names.reduce<unknown>((at, name) => Reflect.get(Object(at), name), copy);
  Reflect.set(Object(parent), last, value);
  return JSON.stringify(copy);
}

test('a manifest is read as it was written, and members of later versions are left out', () => {
  assert.deepEqual(parseManifest(renderManifest(MANIFEST), 'm'), MANIFEST);
  assert.deepEqual(parseManifest(changed('later', { any: 'thing' }), 'm'), MANIFEST);
  assert.deepEqual(
    parseManifest(
      renderManifest({
        ...MANIFEST,
        kind: 'full',
        parent: undefined,
        reason: 'no bitmap',
        disks: MANIFEST.disks.map((disk) => ({ ...disk, backing: undefined })),
      }),
      'm',
    ).reason,
    'no bitmap',
  );
});

const HOSTILE: readonly (readonly [member: string, value: unknown, says: RegExp])[] = [
  ['name', '../../etc', /name is "\.\.\/\.\.\/etc", not the name of a machine/],
  ['shortName', undefined, /shortName is missing/],
  ['createdAt', 'yesterday', /not a time/],
  ['createdAt', '2026-13-27T03:04:05Z', /not a time/],
  ['kind', 'differential', /kind is "differential"/],
  ['kind', 'full', /kind is full, but parent is "20261126-030405"/],
  ['parent', undefined, /kind is incremental, but parent is missing/],
  ['parent', '../other', /not the name of a point/],
  ['chain', 'a/b', /chain/],
  ['quiesced', 'yes', /not true or false/],
  ['disks', {}, /disks is of another type, not a list/],
  ['disks', [], /it has no disks/],
  ['disks', new Array(1001).fill(MANIFEST.disks[0]), /more than 1000/],
  ['disks', [MANIFEST.disks[0], MANIFEST.disks[0]], /key "DSK1" is there twice/],
  [
    'disks',
    [MANIFEST.disks[0], { ...MANIFEST.disks[0], key: 'DSK2', file: 'DSK1.qcow2' }],
    /file "DSK1.qcow2" is there twice/,
  ],
  ['disks.0', null, /disks\[0\] is not an object/],
  ['disks.0.key', 'DSK0', /disks\[0\]\.key/],
  ['disks.0.file', '../dsk1.qcow2', /not the name of a file/],
  ['disks.0.file', '/etc/shadow', /not the name of a file/],
  ['disks.0.file', '.dsk1.part', /not the name of a file/],
  ['disks.0.file', '..', /not the name of a file/],
  ['disks.0.file', 'a\nb', /not a text/],
  ['disks.0.file', 'ä'.repeat(128), /not the name of a file/],
  ['disks.0.format', 'raw', /format/],
  ['disks.0.virtualSizeBytes', -1, /not a number of bytes/],
  ['disks.0.sizeBytes', 1e300, /not a number of bytes/],
  ['disks.0.sha256', 'A'.repeat(64), /sha256/],
  ['disks.0.sourcePath', 'relative', /not an absolute path/],
  ['disks.0.sourcePath', `/${'a'.repeat(5000)}`, /not a text/],
  ['disks.0.backing', '../20261126-030405/../../x', /not a file of the parent/],
  ['disks.0.backing', '../20261125-030405/dsk1.qcow2', /not a file of the parent/],
  ['disks.0.backing', '/etc/shadow', /not a file of the parent/],
  ['disks.0.backing', 'json:{"driver":"raw"}', /not a file of the parent/],
  ['files.0.name', 'tpm/x', /not the name of a file/],
  ['files.2.name', 'tpm/../../x', /not a file in "tpm"/],
  ['files.2.name', 'tpm', /not a file in "tpm"/],
  ['files.2.name', 'tpm/a/b/c/d', /not a file in "tpm"/],
  ['files.2.name', 'tpm//x', /not a file in "tpm"/],
  ['files.1.role', 'program', /role/],
];

for (const [member, value, says] of HOSTILE) {
  test(`a manifest with ${member} ${JSON.stringify(value)?.slice(0, 40)} is refused`, () => {
    assert.throws(
      () => parseManifest(changed(member, value), '/b/manifest.json'),
      (error: Error) => {
        assert.equal(Reflect.get(error, 'code'), 'QEMU_IO');
        assert.match(error.message, /^"\/b\/manifest\.json" is not a usable manifest: /);
        assert.match(error.message, says);
        return true;
      },
    );
  });
}

test('members are not taken from the prototype, and a text that is not a JSON object is refused', () => {
  for (const text of ['', '[]', 'null', '{"__proto__":{"version":1}}', '{"version":"1"}', `"${'x'.repeat(2 ** 20)}"`]) {
    assert.throws(() => parseManifest(text, 'm'), { code: 'QEMU_IO' });
  }
});

test('a manifest of a later version says so', () => {
  assert.throws(() => parseManifest(changed('version', 2), 'm'), {
    code: 'QEMU_NOT_IMPLEMENTED',
    message: /version 2/,
  });
});

test('a link, a FIFO or a huge file in place of the manifest is neither followed nor waited for nor read', () => {
  const point = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  writeFileSync(join(point('good'), 'manifest.json'), renderManifest(MANIFEST));
  assert.equal(readManifest(join(folder, 'good')).name, 'web-server');
  symlinkSync('../good/manifest.json', join(point('link'), 'manifest.json'));
  execFileSync('mkfifo', [join(point('fifo'), 'manifest.json')]);
  execFileSync('truncate', ['-s', '1T', join(point('huge'), 'manifest.json')]);
  point('none');
  for (const name of ['link', 'fifo', 'huge', 'none']) {
    assert.throws(() => readManifest(join(folder, name)), { code: 'QEMU_IO' }, name);
  }
});

test('points are named by their instant in UTC', () => {
  assert.equal(pointName(new Date('2026-01-02T03:04:05.678Z')), '20260102-030405');
  assert.ok(isPointName('20260102-030405'));
  for (const name of ['20260230-030405', '20260102-250405', '20260102', '../20260102-030405', '20260102-030405x']) {
    assert.ok(!isPointName(name), name);
  }
});
