import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MoveOffer } from '../../../../src/fleet/move/move-offer.ts';
import { readAnswer, readHello, readRequest } from '../../../../src/fleet/move/wire.ts';

const offer: MoveOffer = {
  id: 'x',
  name: 'web',
  shortName: 'w',
  cfg: 'RAM=8M\n',
  from: 'ssh://node1',
  sourceRecord: undefined,
  hardware: {
    qemu: { version: '7.2.0', binary: '/usr/bin/qemu' },
    args: ['-m', '8M'],
    config: 'RAM=8M\n',
    machineType: 'pc-q35-7.2',
    hostCpu: undefined,
  },
  features: [['7.0.EBX', 5]],
  macs: [[1, 'de:ad:be:ef:00:01']],
  images: [
    {
      key: 'DSK1',
      layers: [
        { path: '/a.qcow2', format: 'qcow2', file: { sizeBytes: 1, mtimeNs: '2', inode: '3' } },
        { path: '/dev/b', format: 'raw', file: undefined },
      ],
    },
  ],
  snapshots: '[]',
  wasRunning: true,
  copyDisks: false,
  keepConfig: true,
  disks: [{ key: 'DSK1', format: 'qcow2', sizeBytes: 1024, storedBytes: 512 }],
};

const request = (value: unknown): unknown => readRequest(JSON.stringify(value));

test('an offer arrives as it was sent, but for files of the host that it comes from', () => {
  assert.deepEqual(request({ do: 'check', offer: { ...offer, sourceRecord: '/etc/shadow' } }), { do: 'check', offer });
  const { snapshots: _, shortName: __, ...less } = offer;
  const sparse = {
    ...less,
    wasRunning: 'yes',
    hardware: undefined,
    images: [{}],
    macs: [1],
    features: 1,
    copyDisks: true,
  };
  const read = request({ do: 'receive', offer: sparse });
  assert.deepEqual(read, {
    do: 'receive',
    offer: {
      ...offer,
      shortName: undefined,
      snapshots: undefined,
      hardware: { qemu: { version: '', binary: '' }, args: [], config: '', machineType: undefined, hostCpu: undefined },
      features: undefined,
      macs: [[0, '']],
      images: [{ key: '', layers: [] }],
      wasRunning: false,
      copyDisks: true,
      keepConfig: true,
    },
  });
});

test('what is not a request is none, above all a name that is a path', () => {
  for (const value of [
    null,
    {},
    { do: 'reboot' },
    { do: 'check' },
    { do: 'check', offer: { ...offer, name: '../../etc/cron.d/x' } },
    { do: 'receive', offer: { ...offer, shortName: '/x' } },
    { do: 'receive', offer: { ...offer, cfg: 1 } },
    { do: 'describe', names: ['web', '../x'] },
    { do: 'describe', names: [1] },
    { do: 'settle', name: '../x', id: 'x', says: 'kept' },
    { do: 'settle', name: 'web', id: 1, says: 'kept' },
    { do: 'settle', name: 'web', id: 'x', says: 'released' },
  ]) {
    assert.equal(request(value), undefined, JSON.stringify(value));
  }
  assert.equal(readRequest('{'), undefined);
  for (const each of ['listen', 'switching', 'arrived', 'release', 'finish']) {
    assert.deepEqual(request({ do: each, more: 1 }), { do: each });
  }
  assert.deepEqual(request({ do: 'describe', names: ['web'] }), { do: 'describe', names: ['web'] });
  const settle = { do: 'settle', name: 'web', id: 'x', says: 'handed-over' };
  assert.deepEqual(request(settle), settle);
});

test('a hello is told from what a shell prints', () => {
  assert.equal(readHello('Welcome to node2'), undefined);
  assert.equal(readHello('{}'), undefined);
  assert.deepEqual(readHello('{"receive":1,"version":"1.0","place":"node2:/"}'), {
    receive: 1,
    version: '1.0',
    place: 'node2:/',
  });
  assert.equal(readAnswer('[]'), undefined);
  assert.deepEqual(readAnswer('{"a":1}'), { a: 1 });
});
