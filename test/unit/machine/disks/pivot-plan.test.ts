import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceDiskFile } from '../../../../src/config/disk.ts';
import { parseMachineConfig } from '../../../../src/config/machine-config.ts';
import { freeNodes } from '../../../../src/machine/disks/copy-nodes.ts';
import { diskLine } from '../../../../src/machine/disks/disk-line.ts';
import {
  nextPivotStep,
  type PivotFacts,
  type PivotStep,
  pivotOf,
} from '../../../../src/machine/disks/pivot/pivot-plan.ts';

const facts: PivotFacts = {
  isRunning: true,
  job: 'running',
  isActive: false,
  isNamed: false,
  isGivenUp: false,
  cancel: false,
};

/** The step for what is found, in a few words. */
function step(found: Partial<PivotFacts>): PivotStep {
  return nextPivotStep({ ...facts, ...found });
}

test('while both images are the same, the machine’s file decides which of them stays', () => {
  assert.equal(step({ job: 'pending', isNamed: true }), 'finalize');
  assert.equal(step({ job: 'pending', isNamed: false }), 'cancel');
  assert.equal(step({ job: 'pending', isNamed: undefined }), 'cancel');
  assert.equal(step({ isRunning: false, job: undefined, isNamed: true }), 'keep-new');
  assert.equal(step({ isRunning: false, job: undefined, isNamed: false }), 'keep-old');
  assert.equal(step({ isRunning: false, job: undefined, isNamed: undefined }), 'unknown');
});

test('once they differ, the image that the guest writes to stays, whatever the file says', () => {
  for (const isNamed of [true, false, undefined]) {
    assert.equal(step({ job: 'concluded', isActive: true, isNamed }), 'keep-new');
    assert.equal(step({ job: undefined, isActive: true, isNamed }), 'keep-new');
    assert.equal(step({ job: 'concluded', isNamed }), 'keep-old');
    assert.equal(step({ job: undefined, isNamed }), 'keep-old');
  }
  assert.equal(step({ job: 'pending', isNamed: true, isGivenUp: true }), 'cancel');
  assert.equal(step({ isRunning: false, job: undefined, isNamed: true, isGivenUp: true }), 'keep-old');
});

test('a job that goes on is left alone, unless it is to be cancelled', () => {
  for (const job of ['created', 'running', 'paused', 'standby', 'ready']) {
    assert.equal(step({ job }), 'leave');
    assert.equal(step({ job, cancel: true }), 'cancel');
  }
  for (const job of ['waiting', 'aborting']) assert.equal(step({ job }), 'wait');
});

test('a damaged record has no pivot', () => {
  const base = { kind: 'pivot', what: '', startedAt: '', jobs: [], partFiles: [], cfgEdits: [] };
  const tool = { pid: 1, startTime: '', bootId: '' };
  assert.equal(pivotOf({ ...base, tool, data: { key: 'DSK1', jobId: 5 } }), undefined);
  const data = { key: 'DSK1', jobId: 'j', file: '/f', format: 'raw', oldFiles: [{ path: '/o', id: '1:2' }, 7] };
  assert.deepEqual(pivotOf({ ...base, tool, data }), {
    ...data,
    newNodes: [],
    oldNodes: [],
    oldFiles: [{ path: '/o', id: '1:2' }],
    isGivenUp: false,
  });
});

test('a disk’s line gets another image, and keeps its other options as they are written', () => {
  const values = [
    ['a.img', 'b.qcow2,format=qcow2'],
    ['a.img, cache = none ,format=raw', 'b.qcow2,format=qcow2, cache = none '],
    ['my,disk.img,readonly', 'b.qcow2,format=qcow2,readonly'],
    ['a,,b.img,serial=x,,y,if=scsi', 'b.qcow2,format=qcow2,serial=x,,y,if=scsi'],
  ];
  for (const [from = '', to] of values) assert.equal(replaceDiskFile(from, 'b.qcow2', 'qcow2'), to);
  assert.equal(replaceDiskFile('a.img', 'b,c.img', 'raw'), 'b,,c.img,format=raw');
});

test('a relative path stays relative where that is possible', () => {
  const { config } = parseMachineConfig('DSK1=a.img\nDSK2=/x/b.img\n', { path: '/etc/qemu/web-qemu.cfg' });
  const [one, two] = config?.disks ?? [];
  assert.ok(one && two);
  const line = (text: string, key: string, file: string, disk = one) =>
    diskLine(text, '/etc/qemu/web-qemu.cfg', { key, file, format: 'raw' }, disk);
  assert.deepEqual(line('DSK1=a.img', 'DSK1', '/etc/qemu/n/b.img'), { from: 'a.img', to: 'n/b.img,format=raw' });
  assert.equal(line('DSK1=a.img', 'DSK1', '/etc/b.img').to, '/etc/b.img,format=raw');
  assert.equal(line('DSK1=a.img', 'DSK1', '/etc/qemu/a:b').to, '/etc/qemu/a:b,format=raw');
  assert.equal(line('DSK2=/x/b.img', 'DSK2', '/etc/qemu/b.img', two).to, '/etc/qemu/b.img,format=raw');
  // Only the defaults name it.
  assert.deepEqual(line('', 'DSK2', '/y', two), { from: '/x/b.img', to: '/y,format=raw' });
});

test('nodes of a copy get names that are free, and short enough for QEMU', () => {
  assert.deepEqual(freeNodes('DSK1', new Set()), { format: 'dsk1-fmt', file: 'dsk1-file' });
  const taken = new Set(['dsk1-fmt', 'dsk1-file-2']);
  assert.deepEqual(freeNodes('DSK1', taken), { format: 'dsk1-fmt-3', file: 'dsk1-file-3' });
});
