import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { readImageInfo } from '../../src/system/images/image.ts';
import { tempDir } from '../support/temp-root.ts';

const BASE = 'base ä,b.qcow2';

/** Arguments of `qemu-img create`, without size and file. */
const VARIANTS = [
  ['-f', 'raw'],
  ['-f', 'qcow2'],
  ['-f', 'qcow2', '-o', 'compat=0.10'],
  ['-f', 'qcow2', '-o', 'cluster_size=2M,extended_l2=on,lazy_refcounts=on'],
  ['-f', 'qcow2', '-u', '-b', BASE, '-F', 'qcow2'],
  ['-f', 'qcow2', '-o', 'compat=0.10', '-u', '-b', BASE, '-F', 'raw'],
  ['-f', 'qcow2', '-u', '-b', 'json:{"driver":"raw","file":{"driver":"file","filename":"x"}}', '-F', 'raw'],
  ['-f', 'qcow'],
  ['-f', 'qed'],
  ['-f', 'qed', '-u', '-b', BASE, '-F', 'raw'],
  ['-f', 'qed', '-u', '-b', BASE, '-F', 'qcow2'],
  ['-f', 'vdi'],
  ['-f', 'vdi', '-o', 'static=on'],
  ['-f', 'vhdx'],
  ['-f', 'vhdx', '-o', 'subformat=fixed'],
  ['-f', 'vpc'],
  ['-f', 'vpc', '-o', 'force_size=on'],
  ['-f', 'parallels'],
  ['-f', 'vmdk'],
  ['-f', 'vmdk', '-o', 'subformat=monolithicFlat'],
  ['-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse'],
  ['-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentFlat'],
  ['-f', 'vmdk', '-o', 'subformat=streamOptimized'],
] as const;

for (const args of VARIANTS) {
  test(`readImageInfo() agrees with qemu-img info about "${args.join(' ')}"`, (t) => {
    const dir = tempDir(t);
    for (const size of ['1M', '5000K', '3G']) {
      const path = join(dir, `${size}.img`);
      execFileSync('qemu-img', ['create', '-q', ...args, path, size]);
      assert.deepEqual(ownInfo(path), qemuImgInfo(path));
    }
  });
}

test('readImageInfo() agrees with qemu-img info about a VMware image with a parent', (t) => {
  const dir = tempDir(t);
  execFileSync('qemu-img', ['create', '-q', '-f', 'vmdk', join(dir, 'base.vmdk'), '4M']);
  execFileSync('qemu-img', ['create', '-q', '-f', 'vmdk', '-b', 'base.vmdk', '-F', 'vmdk', join(dir, 'top.vmdk')]);
  assert.deepEqual(ownInfo(join(dir, 'top.vmdk')), qemuImgInfo(join(dir, 'top.vmdk')));
});

test('a fixed VHD image, raw for qemu-img info, is known by its last sector', (t) => {
  const path = join(tempDir(t), 'fixed.vhd');
  execFileSync('qemu-img', ['create', '-q', '-f', 'vpc', '-o', 'subformat=fixed,force_size=on', path, '3M']);
  const { format, virtualSizeBytes } = readImageInfo(path);
  assert.deepEqual({ format, virtualSizeBytes }, { format: 'vpc', virtualSizeBytes: 3 * 1024 * 1024 });
});

/** What both tell of. */
function ownInfo(path: string) {
  const { format, virtualSizeBytes, backingFile, backingFormat } = readImageInfo(path);
  return { format, virtualSizeBytes, backingFile, backingFormat };
}

function qemuImgInfo(path: string) {
  const info = JSON.parse(execFileSync('qemu-img', ['info', '--output=json', path], { encoding: 'utf8' }));
  return {
    format: info['format'],
    virtualSizeBytes: info['virtual-size'],
    backingFile: info['backing-filename'],
    backingFormat: info['backing-filename-format'],
  };
}
