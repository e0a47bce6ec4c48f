import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { readImageInfo } from '../../../src/system/images/image.ts';
import { detectFormat } from '../../../src/system/images/image-format.ts';
import { until } from '../../support/lab.ts';
import { tempDir } from '../../support/temp-root.ts';

function detect(content: Buffer) {
  return detectFormat({
    sizeBytes: content.length,
    read: (offset, length) => {
      const buffer = Buffer.alloc(length);
      if (offset >= 0) content.subarray(offset).copy(buffer);
      return buffer;
    },
  });
}

function luks(version: number): Buffer {
  const header = Buffer.alloc(4096 * 512 + 1024 * 1024);
  header.write('LUKS\u{ba}\u{be}', 'latin1');
  header.writeUInt16BE(version, 6);
  header.writeUInt32BE(4096, 104);
  return header;
}

test('a LUKS image has the size of what follows its header', () => {
  assert.deepEqual(detect(luks(1)), {
    format: 'luks',
    virtualSizeBytes: 1024 * 1024,
    backingFile: undefined,
    backingFormat: undefined,
  });
});

test('a LUKS2 image is raw, as it is for QEMU', () => {
  assert.equal(detect(luks(2)).format, 'raw');
});

test('a VMware descriptor is known by its first line of content, and its size is that of all extents', () => {
  const text = [
    '# Disk DescriptorFile',
    '',
    'version=1',
    'CID=fffffffe',
    'parentFileNameHint="/base disk.vmdk"',
    'RW 2048 SPARSE "a-s001.vmdk"',
    'RDONLY 1024 FLAT "a-f002.vmdk" 0',
    'NOACCESS 1024 ZERO',
  ];
  for (const end of ['\n', '\r\n']) {
    assert.deepEqual(detect(Buffer.from(text.join(end) + end)), {
      format: 'vmdk',
      virtualSizeBytes: 4096 * 512,
      backingFile: '/base disk.vmdk',
      backingFormat: 'vmdk',
      extents: ['a-s001.vmdk', 'a-f002.vmdk'],
    });
  }
  for (const other of ['version=4\n', 'x\nversion=1\n', ' version=1\n', 'encoding="x"\nversion=1\n']) {
    assert.equal(detect(Buffer.from(other)).format, 'raw');
  }
});

const MAGICS = [
  'QFI\u{fb}\0\0\0\u{1}',
  'QFI\u{fb}\0\0\0\u{2}',
  'QFI\u{fb}\0\0\0\u{3}',
  'QED\0',
  'KDMV',
  'COWD',
  'vhdxfile',
  'conectix',
  'WithoutFreeSpace\u{2}\0\0\0',
  'WithouFreSpacExt\u{2}\0\0\0',
  'LUKS\u{ba}\u{be}\0\u{1}',
  '# Disk DescriptorFile\nversion=1\n',
  '',
];

test('no damage to a header makes the detection fail, or return what is no size or name', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...MAGICS),
      fc.uint8Array({ maxLength: 700 }),
      fc.nat(4096),
      (magic, noise, padding) => {
        const content = Buffer.concat([Buffer.from(magic, 'latin1'), noise, Buffer.alloc(padding), noise]);
        const info = detect(content);
        assert.match(info.format, /^[a-z0-9]+$/);
        assert.ok(info.virtualSizeBytes === undefined || Number.isFinite(info.virtualSizeBytes));
        assert.ok((info.backingFile?.length ?? 1) > 0);
      },
    ),
  );
});

test('what has no header is raw, in whole sectors', (t) => {
  const path = join(tempDir(t), 'image');
  for (const [bytes, size] of [
    [0, 0],
    [1, 512],
    [512, 512],
    [1000, 1024],
  ] as const) {
    writeFileSync(path, Buffer.alloc(bytes, 'x'));
    assert.deepEqual(readImageInfo(path), {
      format: 'raw',
      virtualSizeBytes: size,
      backingFile: undefined,
      backingFormat: undefined,
    });
  }
});

test('an image that is missing is told with the first part of its path that is not there', (t) => {
  const dir = tempDir(t);
  assert.throws(() => readImageInfo(join(dir, 'images/web.qcow2')), {
    code: 'QEMU_IO',
    message: `Cannot read image "${join(dir, 'images/web.qcow2')}"`,
    hint: `"${join(dir, 'images')}" does not exist`,
  });
});

test('a folder, a pipe and a terminal are no images, and none is waited for', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'folder'));
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  assert.throws(() => readImageInfo(join(dir, 'folder')), { code: 'QEMU_IO', hint: 'it is a folder' });
  for (const path of [join(dir, 'pipe'), '/dev/null']) {
    assert.throws(() => readImageInfo(path), { code: 'QEMU_IO', hint: 'it is neither a file nor a block device' });
  }
});

test('a pipe is looked at without being opened: who waits for a reader of it goes on waiting', async (t) => {
  const path = join(tempDir(t), 'pipe');
  execFileSync('mkfifo', [path]);
  const writer = spawn('sh', ['-c', 'echo $$; exec 3>"$0"; echo opened', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => writer.kill('SIGKILL'));
  let printed = '';
  writer.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  await until(
    'the writer sleeps',
    () => printed !== '' && / S /.test(readFileSync(`/proc/${writer.pid}/stat`, 'utf8')),
  );
  assert.throws(() => readImageInfo(path), { code: 'QEMU_IO' });
  await sleep(100);
  assert.equal(printed, `${writer.pid}\n`);
});
