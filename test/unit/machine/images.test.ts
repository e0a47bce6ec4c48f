import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import type { MachineConfig } from '../../../src/config/types.ts';
import { diskParts } from '../../../src/machine/argv/disks.ts';
import { renderOption } from '../../../src/machine/argv/render/argv.ts';
import { diskChain } from '../../../src/machine/storage/disk-chain.ts';
import { removeKeys, writeKeys } from '../../../src/machine/storage/image-keys.ts';
import {
  forgetBases,
  forgetImages,
  hasImageMemory,
  readImageMemory,
  writeImageMemory,
} from '../../../src/machine/storage/image-memory.ts';
import { findImages } from '../../../src/machine/storage/images.ts';
import { machinePaths, type Paths, resolvePaths } from '../../../src/system/paths.ts';
import { makeEncryptedHeader } from '../../support/luks-image.ts';
import { makeOverlay, overlayHeader, overwrite } from '../../support/odd-images.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

interface Place {
  readonly dir: string;
  readonly paths: Paths;
  readonly at: (name: string) => string;
  readonly config: (text: string, name?: string) => MachineConfig;
}

function place(t: Cleanup): Place {
  const dir = tempDir(t);
  return {
    dir,
    paths: resolvePaths({ root: dir }, {}, 0, '/'),
    at: (name) => join(dir, name),
    config: (text, name = 'web') => {
      const { config } = parseMachineConfig(text, { path: join(dir, `${name}-qemu.cfg`) });
      assert.ok(config);
      return config;
    },
  };
}

function messagesOf({ paths }: Place, config: MachineConfig): string[] {
  return findImages(paths, config).issues.map(
    ({ severity, message, hint }) => `${severity}: ${message} (${hint ?? ''})`,
  );
}

/** What a start does with what it found. */
function start({ paths }: Place, config: MachineConfig): string[] {
  const { disks, memory } = findImages(paths, config);
  writeImageMemory(paths, config.longName, memory);
  return disks.map(({ disk, image }) => {
    const parts = diskParts([disk], [image], '/keys', 'q35', new Map());
    const drive = parts.map(renderOption).find(({ args }) => args[0] === '-drive')?.args[1] ?? '';
    return [image.format, ...drive.split(',').filter((part) => /^(?:backing|encrypt|key-secret)/.test(part))].join();
  });
}

test('a format that was found out once does not change, for no name of the file and no machine, until it is declared or forgotten', (t) => {
  const here = place(t);
  const { at, config, paths } = here;
  writeFileSync(at('a.img'), Buffer.alloc(65_536));
  makeOverlay(at('evil'), '/etc/hostname', 'raw');
  assert.deepEqual(start(here, config('DSK1=a.img\n')), ['raw']);
  overwrite(at('a.img'), readFileSync(at('evil')).subarray(0, 8192));
  assert.match(messagesOf(here, config('DSK1=a.img\n')).join(), /^error: DSK1 ".*a\.img" was raw .* looks like qcow2/);
  assert.equal(findImages(paths, config('DSK1=a.img\n')).disks[0]?.chain.layers.length, 1);
  renameSync(at('a.img'), at('b.img'));
  for (const name of ['web', 'db']) {
    assert.match(messagesOf(here, config('DSK1=b.img\n', name)).join(), /was raw/, name);
  }
  assert.match(
    messagesOf(here, config('DSK1=b.img,format=raw\n')).join(),
    /^warning: DSK1 is declared format=raw, but/,
  );
  assert.deepEqual(start(here, config('DSK1=b.img,format=raw\n', 'db')), ['raw']);
  // A disk that is out of the file for a start comes back as what it was.
  writeFileSync(at('c.img'), '');
  start(here, config('DSK1=c.img\n'));
  assert.match(messagesOf(here, config('DSK1=c.img\nDSK2=b.img\n')).join(), /DSK2 .* was raw/);
  for (const name of ['web', 'db']) forgetImages(paths, name);
  assert.equal(hasImageMemory(paths, 'web'), false);
  assert.match(messagesOf(here, config('DSK1=b.img\n')).join(), /leads QEMU to "\/etc\/hostname"/);
});

test('notes that are damaged or missing are as none, and are kept from others', (t) => {
  const here = place(t);
  const { at, config, paths } = here;
  writeFileSync(at('a.img'), '');
  start(here, config('DSK1=a.img\n'));
  const note = join(paths.imagesDir, 'web.json');
  assert.deepEqual([statSync(note).mode & 0o777, statSync(paths.imagesDir).mode & 0o777], [0o600, 0o700]);
  for (const text of ['{', '[]', '{"disks":[1,{"file":1}],"bases":[null,{"file":"x"}]}', '{"disks":{}}']) {
    writeFileSync(note, text);
    assert.deepEqual(readImageMemory(paths, 'web'), { disks: [], bases: [] }, text);
  }
});

test('a base is compared with what it was when it was first used', (t) => {
  const here = place(t);
  const { at, config, paths } = here;
  writeFileSync(at('base'), Buffer.alloc(65_536));
  makeOverlay(at('top'), 'base', 'raw');
  start(here, config('DSK1=top\n'));
  assert.deepEqual(messagesOf(here, config('DSK1=top\n')), []);
  appendFileSync(at('base'), 'x');
  for (let count = 0; count < 2; count += 1) {
    assert.match(
      messagesOf(here, config('DSK1=top\n')).join(),
      /^warning: DSK1 rests on ".*base", which has changed .*65537 bytes now/,
    );
    start(here, config('DSK1=top\n'));
  }
  forgetBases(paths, 'web');
  assert.deepEqual(messagesOf(here, config('DSK1=top\n')), []);
});

test('a base of no declared format is opened as what it is, one that leads on is refused, and what is missing is named', (t) => {
  const here = place(t);
  const { at, config } = here;
  writeFileSync(at('base'), Buffer.alloc(65_536));
  makeOverlay(at('top'), 'base', undefined);
  assert.deepEqual(start(here, config('DSK1=top\n')), ['qcow2,backing.driver=raw']);
  writeFileSync(at('deep'), Buffer.alloc(512));
  makeOverlay(at('base'), 'deep', 'raw');
  assert.match(
    messagesOf(here, config('DSK1=top\n')).join(),
    /does not record the format of its backing file ".*base"/,
  );
  rmSync(at('base'));
  assert.match(messagesOf(here, config('DSK1=top\n')).join(), /DSK1 rests on ".*base", which does not exist/);
  mkdirSync(at('base'));
  assert.match(messagesOf(here, config('DSK1=top\n')).join(), /DSK1 rests on ".*base", which cannot be read/);
  assert.match(messagesOf(here, config('DSK1=gone\n')).join(), /^error: DSK1 ".*gone" does not exist/);
  assert.match(messagesOf(here, config('DSK1=base,format=qcow2\n')).join(), /^error: DSK1 ".*base" cannot be read/);
  writeFileSync(at('plain'), Buffer.alloc(512));
  assert.match(
    messagesOf(here, config('DSK1=plain,format=qcow2\n')).join(),
    /DSK1 is declared format=qcow2, but ".*plain" is raw/,
  );
});

test('formats that QEMU only reads need readonly=on or snapshot=on', (t) => {
  const here = place(t);
  const { at, config } = here;
  const head = Buffer.alloc(4096);
  head.write('Bochs Virtual HD Image');
  writeFileSync(at('x.bochs'), head);
  writeFileSync(
    at('x.cloop'),
    '#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n',
  );
  writeFileSync(at('x.dmg'), Buffer.concat([Buffer.alloc(512), Buffer.from('koly'), Buffer.alloc(508)]));
  for (const format of ['bochs', 'cloop', 'dmg']) {
    const disk = `DSK1=x.${format},format=${format}`;
    assert.match(
      messagesOf(here, config(`${disk}\n`)).join(),
      /QEMU only reads.*qemu-img convert -f .* -O qcow2 .*x\.qcow2/,
    );
    for (const option of ['readonly', 'snapshot'])
      assert.deepEqual(messagesOf(here, config(`${disk},${option}=on\n`)), []);
  }
});

test('a disc is raw, and an optional one may be missing', (t) => {
  const here = place(t);
  const { at, config, paths } = here;
  makeOverlay(at('cd'), '/etc/hostname', 'raw');
  const found = findImages(paths, config('CDR1=cd\nCDR2=gone,optional\nCDR3=empty\n'));
  assert.deepEqual(
    found.cdroms.map(({ file }) => file),
    [at('cd'), undefined, undefined],
  );
  assert.deepEqual(
    found.issues.map(({ severity }) => severity),
    ['warning', 'warning'],
  );
  assert.match(messagesOf(here, config('CDR1=gone\n')).join(), /^error: CDR1 ".*gone" does not exist/);
  mkdirSync(at('folder'));
  assert.match(messagesOf(here, config('CDR1=folder,optional\n')).join(), /^error: /);
});

test('keys are for encrypted images, closed to others, and copied for QEMU only while it starts', (t) => {
  const here = place(t);
  const { dir, at, config, paths } = here;
  writeFileSync(at('luks'), Buffer.concat([makeEncryptedHeader('secret'), Buffer.alloc(65_536)]));
  writeFileSync(at('plain'), Buffer.alloc(512));
  writeFileSync(at('key'), 'secret', { mode: 0o600 });
  const good = config('DSK1=luks,format=luks,key=key\n');
  assert.deepEqual(start(here, good), ['luks,key-secret=dsk1-key']);
  assert.deepEqual(start(here, config('DSK1=luks,key=key\n', 'bare')), ['luks,key-secret=dsk1-key']);
  assert.match(messagesOf(here, config('DSK1=luks,format=luks\n')).join(), /is encrypted \(name the file with its key/);
  assert.match(messagesOf(here, config('DSK1=plain,key=key\n')).join(), /has key=, but ".*plain" is not encrypted/);
  for (const [text, mode, problem] of [
    ['', 0o600, /is empty/],
    [Buffer.from([255]), 0o600, /is not UTF-8 text/],
    ['secret', 0o640, /can be used by others \(chmod 600/],
  ] as const) {
    writeFileSync(at('key'), text);
    chmodSync(at('key'), mode);
    assert.match(messagesOf(here, good).join(), problem);
  }
  assert.match(messagesOf(here, config('DSK1=luks,format=luks,key=gone\n')).join(), /DSK1 key ".*gone" does not exist/);
  const files = machinePaths(paths, 'web');
  assert.throws(() => writeKeys(good, files), { code: 'QEMU_IO', message: /can be used by others/ });
  chmodSync(at('key'), 0o600);
  for (let count = 0; count < 2; count += 1) writeKeys(good, files);
  assert.equal(readFileSync(join(files.keysDir, 'dsk1'), 'utf8'), 'secret');
  assert.equal(statSync(join(files.keysDir, 'dsk1')).mode & 0o777, 0o600);
  removeKeys(files);
  assert.equal(statSync(files.keysDir, { throwIfNoEntry: false }), undefined, dir);
});

/** The content of a disk with a partition table. */
function diskBytes(): Buffer {
  const bytes = Buffer.alloc(65_536);
  bytes.writeUInt16LE(0xaa55, 510);
  return bytes;
}

test('a header that comes to name another file than at the first start leads nowhere, whatever it names', (t) => {
  const here = place(t);
  const { at, config, paths } = here;
  for (const folder of ['own', 'bases', 'db']) mkdirSync(at(folder));
  writeFileSync(at('bases/base'), diskBytes());
  writeFileSync(at('bases/other'), diskBytes());
  writeFileSync(at('secret'), 'root:x:0:0\n');
  writeFileSync(at('own/db.img'), diskBytes());
  start(here, config('DSK1=own/db.img,format=raw\n', 'db'));
  makeOverlay(at('own/top'), at('bases/base'), 'raw');
  const machine = config('DSK1=own/top,format=qcow2\n');
  assert.deepEqual(messagesOf(here, machine), []);
  start(here, machine);
  assert.deepEqual(messagesOf(here, machine), []);
  symlinkSync(at('secret'), at('own/link'));
  mkdirSync(at('own/folder'));
  const json = JSON.stringify({ driver: 'raw', file: { driver: 'file', filename: at('secret') } });
  const names = ['secret', '/etc/shadow', '/dev/null', at('bases/other'), '../secret', 'folder/../../secret', 'link'];
  for (const name of [
    ...names,
    `file:${at('secret')}`,
    `json:${json}`,
    'db.img',
    at('own/../own/db.img'),
    './db.img',
  ]) {
    if (name === 'secret') continue;
    makeOverlay(at('own/top'), name, 'raw');
    const found = findImages(paths, machine);
    assert.match(found.issues[0]?.message ?? '', /^DSK1: ".*own\/top" leads QEMU to ".*" ?, /, name);
    assert.deepEqual(
      found.disks[0]?.chain.layers.map(({ stats }) => stats !== undefined),
      [true, false],
      `${name} is shown and not opened`,
    );
    assert.equal(diskChain(paths, 'web', machine.disks[0] ?? assert.fail()).problems.length, 1);
  }
  for (const name of [
    `/proc/self/root${at('own/plain')}`,
    '/proc/self/cwd/x',
    '/proc/thread-self/cwd/x',
    '/dev/fd/3',
  ]) {
    makeOverlay(at('own/top'), name, 'raw');
    assert.match(messagesOf(here, machine).join(), /which is a different file for each process/, name);
  }
  symlinkSync('/proc/self/cwd/x', at('own/cwd'));
  makeOverlay(at('own/top'), 'cwd', 'raw');
  assert.match(messagesOf(here, machine).join(), /which is a different file for each process/);
  // A disk that the machine had once, and what QEMU may have put in its place by now.
  writeFileSync(at('own/old'), diskBytes());
  start(here, config('DSK1=own/top,format=raw\nDSK2=own/old,format=raw\n'));
  rmSync(at('own/old'));
  symlinkSync(at('secret'), at('own/old'));
  makeOverlay(at('own/top'), 'old', 'raw');
  assert.match(messagesOf(here, machine).join(), /leads QEMU to ".*old", which it did not/);
  // A descriptor that names files without end.
  const extents = Array.from({ length: 5_000 }, (_, index) => `RW 1 FLAT "/etc/shadow${index}" 0`);
  writeFileSync(at('own/top'), ['version=1', ...extents, 'RW 1 FLAT "/etc/shadow" 0', ''].join('\n'));
  const vmdk = findImages(paths, config('DSK1=own/top,format=vmdk\n', 'vmware'));
  assert.ok(vmdk.issues.length <= 201 && vmdk.issues.length > 0);
  assert.ok(vmdk.disks[0]?.chain.layers.every(({ file, stats }) => file === at('own/top') || stats === undefined));
  // What lies beside the image, and is nobody else's.
  writeFileSync(at('own/plain'), diskBytes());
  makeOverlay(at('own/top'), 'plain', 'raw');
  assert.deepEqual(messagesOf(here, machine), []);
  // The cfg has the last word, and so has who registers the machine again.
  makeOverlay(at('own/top'), at('bases/other'), 'raw');
  assert.deepEqual(messagesOf(here, config('DSK1=own/top,format=qcow2,backing=bases/other\n')), []);
  assert.equal(messagesOf(here, config('DSK1=own/top,format=qcow2,backing=bases/base\n')).length, 1);
  forgetBases(paths, 'web');
  assert.deepEqual(messagesOf(here, machine), []);
  makeOverlay(at('own/top'), 'db.img', 'raw');
  assert.match(messagesOf(here, machine).join(), /a disk of machine "db"/);
  assert.deepEqual(messagesOf(here, config('DSK1=own/top,format=qcow2,backing=own/db.img\n')), []);
});

test('a disk that was never started leads to another folder only with a declared format, and only to what is like a disk', (t) => {
  const here = place(t);
  const { at, config } = here;
  for (const folder of ['own', 'bases']) mkdirSync(at(folder));
  writeFileSync(at('bases/base'), diskBytes());
  writeFileSync(at('bases/secret'), Buffer.alloc(65_536, 'x'));
  const said = (text: string): string => messagesOf(here, config(text)).join();
  makeOverlay(at('own/top'), at('bases/base'), 'raw');
  assert.equal(said('DSK1=own/top,format=qcow2\n'), '');
  assert.match(said('DSK1=own/top\n'), /no format= is declared.*backing=.*bases\/base; or .*qemu-img rebase/);
  assert.equal(said('DSK1=own/top,backing=bases/base\n'), '');
  makeOverlay(at('own/top'), at('bases/secret'), 'raw');
  assert.match(said('DSK1=own/top,format=qcow2\n'), /does not look like a disk/);
  // A copy of a raw disk is a new file to the host, with whatever the guest wrote.
  writeFileSync(at('own/raw'), Buffer.alloc(65_536));
  start(here, config('DSK1=own/raw\n'));
  overwrite(at('own/raw'), overlayHeader(at('evil'), at('bases/base')));
  writeFileSync(at('own/copy'), readFileSync(at('own/raw')));
  assert.match(said('DSK1=own/copy\n'), /leads QEMU to ".*bases\/base"/);
  // A snapshot of a running machine's disk rests on that, and on what that rests on.
  makeOverlay(at('own/top'), at('bases/base'), 'raw');
  start(here, config('DSK1=own/top,format=qcow2\n'));
  makeOverlay(at('bases/snapshot'), at('own/top'), 'qcow2');
  assert.equal(said('DSK1=bases/snapshot\n'), '');
});

test('the files of a chain that leads on for ever are not followed for ever', (t) => {
  const here = place(t);
  const { at, config } = here;
  for (let count = 0; count < 202; count += 1) makeOverlay(at(`${count}`), `${count + 1}`, 'qcow2');
  assert.match(messagesOf(here, config('DSK1=0\n')).join(), /rests on more than 200 files/);
  makeOverlay(at('1'), `.//../${basename(here.dir)}/0`, 'qcow2');
  assert.match(messagesOf(here, config('DSK1=0\n')).join(), /in its own chain of backing files twice/);
});
