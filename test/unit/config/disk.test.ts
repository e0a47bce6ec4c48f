import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseGood, problemsOf } from './support.ts';

function fileOf(value: string): string | undefined {
  return parseGood(`DSK1=${value}\n`).disks[0]?.file;
}

function cdromOf(value: string): string | undefined {
  return parseGood(`CDR1=${value}\n`).cdroms[0]?.file;
}

suite('DSKx', () => {
  test('in its bare form is just the file name', () => {
    assert.deepEqual(parseGood('DSK1=disk.img\n').disks, [
      {
        index: 1,
        file: '/etc/qemu/disk.img',
        format: undefined,
        interface: 'virtio',
        cache: undefined,
        aio: undefined,
        discard: undefined,
        readonly: false,
        snapshot: false,
        serial: undefined,
        detectZeroes: undefined,
        ssd: false,
        ioThread: false,
        queues: undefined,
        bootIndex: undefined,
        key: undefined,
        backing: [],
      },
    ]);
  });

  test('takes options', () => {
    const value =
      'd.img,format=QCOW2,if=nvme,cache=none,aio=native,discard=unmap,readonly=yes,snapshot=1,serial=S 1,' +
      'key=k,backing=nbd://h/a,,b,backing=json:{},backing=base';
    assert.deepEqual(parseGood(`DSK1=${value}\n`).disks, [
      {
        index: 1,
        file: '/etc/qemu/d.img',
        format: 'qcow2',
        interface: 'nvme',
        cache: 'none',
        aio: 'native',
        discard: 'unmap',
        readonly: true,
        snapshot: true,
        serial: 'S 1',
        detectZeroes: undefined,
        ssd: false,
        ioThread: false,
        queues: undefined,
        bootIndex: undefined,
        key: '/etc/qemu/k',
        backing: ['nbd://h/a,b', 'json:{}', '/etc/qemu/base'],
      },
    ]);
  });

  test('file names may have blanks, commas, quotes and umlauts', () => {
    assert.equal(fileOf('my,disk.img'), '/etc/qemu/my,disk.img');
    assert.equal(fileOf('"/a b/it\'s \\"ü\\", $(x).img,format=raw"'), '/a b/it\'s "ü", $(x).img');
    assert.equal(fileOf('a,,b=c.img'), '/etc/qemu/a,b=c.img');
    assert.equal(fileOf('a,,format=raw'), '/etc/qemu/a,format=raw');
    assert.equal(fileOf('a,,,format=raw'), '/etc/qemu/a,');
    assert.equal(fileOf('a,b,,c,format=raw'), '/etc/qemu/a,b,c');
    assert.equal(fileOf('a=b.img'), '/etc/qemu/a=b.img');
    assert.equal(fileOf('" a "'), '/etc/qemu/ a ');
    assert.equal(fileOf('../x/./y'), '/etc/x/y');
    assert.equal(fileOf('./file=x'), '/etc/qemu/file=x');
  });

  test('an option that is not known is an error that tells about doubled commas, or the nearest one', () => {
    assert.deepEqual(problemsOf('DSK1=d.img,foo=bar\n'), [
      '1: DSK1 has an unknown option "foo="; known options: format, if, cache, aio, discard, detect-zeroes, readonly, ' +
        'snapshot, serial, ssd, iothread, queues, rate, bootindex, key, backing (write a comma in the file name twice)',
    ]);
    assert.match(problemsOf('DSK1=d.img,fromat=raw\n')[0] ?? '', /\(did you mean "format"\?\)$/);
  });

  test('the bare name of an option does not become part of the file name', () => {
    assert.deepEqual(problemsOf('DSK1=d.img,readonly\n'), [
      '1: DSK1 has "readonly" where option=value is expected (write readonly=on)',
    ]);
    assert.deepEqual(problemsOf('DSK1=d.img,format=raw,ide\n'), [
      '1: DSK1 has "ide" where option=value is expected (write if=ide)',
    ]);
  });

  test('values that are not allowed are all reported', () => {
    assert.deepEqual(problemsOf('DSK1=d,if=usb,cache=of,readonly=maybe,format=,snapshot=on,snapshot=off\n'), [
      '1: DSK1 if must be virtio, ide, sata, scsi or nvme, not "usb"',
      '1: DSK1 cache must be writeback, none, writethrough, directsync or unsafe, not "of"',
      '1: DSK1 readonly must be on or off, not "maybe"',
      '1: DSK1 format has no value',
      '1: DSK1 has "snapshot=" twice',
    ]);
  });

  test('a missing name, "file=" and network images are refused', () => {
    assert.deepEqual(problemsOf('DSK1=",format=raw"\n'), ['1: DSK1 has no file name']);
    assert.match(problemsOf('DSK1=file=a.img\n')[0] ?? '', /"file=a.img" starts with "file="/);
    assert.match(problemsOf('DSK1=nbd://host/x\n')[0] ?? '', /"nbd:\/\/host\/x" is not a file/);
  });

  test('a key is for formats that can be encrypted', () => {
    assert.deepEqual(problemsOf('DSK1=d,format=raw,key=k\n'), [
      '1: DSK1 key= is for format=luks and format=qcow2, not for "raw"',
    ]);
  });

  test('aio=native needs a cache mode without the page cache', () => {
    assert.deepEqual(problemsOf('DSK1=d,aio=native\n'), ['1: DSK1 aio=native needs cache=none or cache=directsync']);
  });

  test('readonly=on needs a controller that can tell the guest', () => {
    assert.deepEqual(problemsOf('DSK1=d,if=sata,readonly=on\nDSK2=e,if=ide,readonly=on\n'), [
      '1: DSK1 readonly=on is not possible with if=sata (use if=virtio, if=scsi or if=nvme)',
      '2: DSK2 readonly=on is not possible with if=ide (use if=virtio, if=scsi or if=nvme)',
    ]);
  });

  test('a serial number is as long as the controller takes it', () => {
    assert.equal(parseGood(`DSK1=d,if=scsi,serial=${'s'.repeat(36)}\n`).disks[0]?.serial?.length, 36);
    for (const options of [`serial=${'s'.repeat(21)}`, `if=scsi,serial=${'s'.repeat(37)}`, 'serial=ü']) {
      assert.match(problemsOf(`DSK1=d,${options}\n`)[0] ?? '', /printable ASCII/);
    }
  });

  test('two disks are not on one image, unless both are read-only', () => {
    assert.deepEqual(problemsOf('DSK1=a/../d.img\nDSK2=/etc/qemu/d.img\n'), [
      '2: DSK2 is the same image as DSK1: "d.img"',
    ]);
    assert.equal(parseGood('DSK1=d,readonly=on\nDSK2=d,readonly=on\n').disks.length, 2);
  });
});

suite('CDRx', () => {
  test('is a file, or empty', () => {
    assert.equal(cdromOf('debian.iso'), '/etc/qemu/debian.iso');
    assert.equal(cdromOf('"ä, b\\"c.iso"'), '/etc/qemu/ä, b"c.iso');
    assert.equal(cdromOf('a,,b=c.iso'), '/etc/qemu/a,b=c.iso');
    assert.equal(cdromOf('Empty'), undefined);
    assert.equal(cdromOf('./empty'), '/etc/qemu/empty');
    assert.deepEqual(parseGood('CDR1=empty\n').cdroms, [
      { index: 1, file: undefined, optional: false, bootIndex: undefined },
    ]);
  });

  test('is optional by the bare word, or by on', () => {
    for (const value of ['a.iso,optional', 'a.iso,optional=on', 'a.iso, optional ']) {
      assert.deepEqual(parseGood(`CDR1=${value}\n`).cdroms, [
        { index: 1, file: '/etc/qemu/a.iso', optional: true, bootIndex: undefined },
      ]);
    }
    assert.equal(parseGood('CDR1=a.iso,optional=off\n').cdroms[0]?.optional, false);
  });

  test('has no other options, and no format', () => {
    assert.match(problemsOf('CDR1=a.iso,format=qcow2\n')[0] ?? '', /CDR1 has an unknown option "format="/);
    assert.match(
      problemsOf('CDR1=a.iso,media=cdrom\n')[0] ?? '',
      /CDR1 has an unknown option "media="; known options: optional/,
    );
  });
});
