import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NicConfig } from '../../../src/config/device-config.ts';
import { ownerAlias, parseOwnerAlias } from '../../../src/network/taps/owner-alias.ts';
import { parseTapRecord } from '../../../src/network/taps/tap-records.ts';
import { tapSpecs } from '../../../src/network/taps/tap-spec.ts';

const nic: NicConfig = {
  index: 1,
  model: 'virtio-net-pci',
  net: 'bridge',
  bridge: 'br1',
  mac: undefined,
  hostForwards: [],
  vlan: 10,
  queues: 4,
  mtu: 9000,
  isolated: true,
  lock: true,
  addresses: ['192.0.2.1'],
};

test('a wish comes back from its note as it was', () => {
  const [wish] = tapSpecs({ longName: 'web', nics: [nic] }, new Map([[1, 'DE:AD:BE:EF:00:01']]));
  assert.deepEqual(parseTapRecord(JSON.stringify(wish)), wish);
});

test('only NICs on a bridge need taps, and only virtio-net has several queues', () => {
  const nics = [nic, { ...nic, index: 2, net: 'user' as const }, { ...nic, index: 3, model: 'e1000' }];
  assert.deepEqual(
    tapSpecs({ longName: 'web', nics }, new Map()).map(({ tap, queues }) => [tap, queues]),
    [
      ['web.1', 4],
      ['web.3', 1],
    ],
  );
});

test('a note that is cut in half or of the wrong form is none', () => {
  const [wish] = tapSpecs({ longName: 'web', nics: [nic] }, new Map());
  const text = JSON.stringify(wish);
  for (let length = 0; length < text.length; length += 1)
    assert.equal(parseTapRecord(text.slice(0, length)), undefined);
  for (const change of [
    { bridge: 'a b' },
    { bridge: undefined },
    { vlan: '10' },
    { lock: 'on' },
    { addresses: [1] },
    { index: 1.5 },
  ]) {
    assert.equal(parseTapRecord(JSON.stringify({ ...wish, ...change })), undefined);
  }
});

test('the alias of a tap tells whose it is', () => {
  const owner = { scope: '0123abcd', machine: 'a-machine.with_all', locked: false };
  for (const each of [owner, { ...owner, locked: true }]) assert.deepEqual(parseOwnerAlias(ownerAlias(each)), each);
  for (const alias of [undefined, '', 'qemu-init', 'qemu-init:x:web', 'qemu-init:0123abcd:']) {
    assert.equal(parseOwnerAlias(alias), undefined);
  }
});
