import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quickDisks } from '../../../src/config/quick-disks.ts';
import { parseGood } from './support.ts';

test('the quick look at the disks of a cfg finds those of the whole reading', () => {
  for (const text of [
    'RAM=8M\nDSK1=a.img,format=raw\n DSK2 = /b,,c=d.qcow2,if=scsi,readonly=on\n#DSK3=x\n[custom]\n-DSK4 = y\n',
    'DSK1=a,b.img\r\nNIC1=e1000\r\n',
    'NAME=x\n',
  ]) {
    assert.deepEqual(quickDisks(text, '/etc/qemu'), parseGood(text).disks, text);
  }
});

test('the quick look leaves quoted values and remarks to the whole reading', () => {
  for (const value of ['"a b.img"', 'a.img # x', 'a\\;b', "'a'"]) {
    assert.equal(quickDisks(`DSK1=${value}\n`, '/'), undefined, value);
  }
});

test('the quick look leaves storage in [custom] to the whole reading', () => {
  for (const line of ['-drive file=x', '-S -hda x', '--blockdev \'{"filename":"x"}\'']) {
    assert.equal(quickDisks(`DSK1=a\n[custom]\n${line}\n`, '/'), undefined, line);
  }
});
