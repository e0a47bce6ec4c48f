import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ImageChain, readChain } from '../../../src/system/images/image-chain.ts';
import { makeOverlay } from '../../support/odd-images.ts';
import { tempDir } from '../../support/temp-root.ts';

function shapeOf({ layers }: ImageChain): string[] {
  return layers.map(({ file, format, role, depth }) => `${depth} ${role} ${format} ${file}`);
}

/** Names in a header that lead QEMU elsewhere than to a file, with the format beside them. */
const REMOTE = [
  ['nbd://127.0.0.1:1/x', 'raw'],
  ['nbd:127.0.0.1:1', 'raw'],
  ['nbd+unix:///x?socket=/run/x', 'raw'],
  ['ssh://root@127.0.0.1/x', 'raw'],
  ['fat:rw:/etc', 'raw'],
  ['fat:/etc', undefined],
  ['file:relative', 'raw'],
  ['json:{"driver":"raw","file":{"driver":"nbd","host":"127.0.0.1","port":"1"}}', 'raw'],
  ['json:{"file.driver":"nbd","file.host":"127.0.0.1","file.port":"1","driver":"raw"}', 'raw'],
  ['json:{"driver":"raw","file":{"driver":"file","filename":"/etc/hostname"},"offset":1}', 'raw'],
  ['json:{"driver":"qcow2","file":{"driver":"file","filename":"relative"}}', 'qcow2'],
  ['json:[', 'raw'],
] as const;

test('a name that leads to something other than a file is refused, unless it is allowed as it is', (t) => {
  const path = join(tempDir(t), 'top.qcow2');
  for (const [name, format] of REMOTE) {
    makeOverlay(path, name, format);
    const { layers, problems } = readChain(path);
    assert.deepEqual([layers.length, layers[1]?.isRemote], [2, true], name);
    assert.match(problems[0]?.what ?? '', /which is not a file of this host/, name);
    assert.deepEqual(readChain(path, { allowed: [name] }).problems, [], name);
    assert.equal(readChain(path, { allowed: [`${name}x`] }).problems.length, 1, name);
    assert.deepEqual(shapeOf(readChain(path, { format: 'raw' })), [`0 image raw ${path}`], name);
  }
});

test('a format in a header that is a driver of another kind is refused', (t) => {
  const path = join(tempDir(t), 'top.qcow2');
  for (const format of ['vvfat', 'host_device', 'nbd', 'blkdebug', 'file', 'RAW']) {
    makeOverlay(path, '/etc/hostname', format);
    assert.match(readChain(path).problems[0]?.what ?? '', /which is not an image format/, format);
  }
});

test('names are read as QEMU reads them: up to NUL, from the folder of the image as it was named, file: and json: as files', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'a'));
  mkdirSync(join(dir, 'b'));
  const base = join(dir, 'a/base');
  writeFileSync(base, Buffer.alloc(1024 * 1024));
  const path = join(dir, 'a/top.qcow2');
  for (const name of [
    'base',
    'base\0/../../x',
    base,
    `file:${base}`,
    `json:{"driver":"raw","file":{"driver":"file","filename":"${base}"}}`,
  ]) {
    makeOverlay(path, name, 'raw');
    assert.deepEqual(readChain(path).problems, [], name);
    assert.equal(readChain(path).layers[1]?.file, base, name);
  }
  makeOverlay(path, 'base', 'raw');
  symlinkSync(path, join(dir, 'b/link.qcow2'));
  assert.match(shapeOf(readChain(join(dir, 'b/link.qcow2')))[1] ?? '', /b\/base$/);
});

test('a chain without end is found, and one that is damaged leads nowhere', (t) => {
  const dir = tempDir(t);
  makeOverlay(join(dir, 'one'), 'two', 'qcow2');
  makeOverlay(join(dir, 'two'), 'one', 'qcow2');
  assert.match(readChain(join(dir, 'one')).problems[0]?.what ?? '', /twice/);
  const image = readFileSync(join(dir, 'one'));
  // More extensions than anything writes, so that the last word on the format could be anywhere.
  for (let at = 104; at + 8 < 65_536; at += 8) image.writeBigUInt64BE(0x22222222_00000000n, at);
  writeFileSync(join(dir, 'one'), image);
  assert.match(readChain(join(dir, 'one')).problems[0]?.what ?? '', /damaged header/);
});

test('the parts of a VMware disk are found however its description is written', (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'disk.vmdk');
  const text = [
    '# Disk DescriptorFile',
    'version=1',
    'CID=fffffffe',
    'parentCID=fffffffe',
    'createType="twoGbMaxExtentFlat"',
    ' xparentFileNameHint="/a"',
    'RW 2048 FLAT "/b" 0',
    'RW',
    '2048FLAT\t"c" 0',
    '',
  ].join('\n');
  writeFileSync(path, text);
  assert.deepEqual(shapeOf(readChain(path)), [
    `0 image vmdk ${path}`,
    '0 extent raw /b',
    `0 extent raw ${join(dir, 'c')}`,
    '1 backing vmdk /a',
  ]);
});
