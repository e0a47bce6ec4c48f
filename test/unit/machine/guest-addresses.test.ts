import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressRows } from '../../../src/machine/observe/guest-addresses.ts';
import type { GuestInterface } from '../../../src/qmp/agent/agent-answers.ts';

const address = (text: string, family: 'ipv4' | 'ipv6' = 'ipv4'): GuestInterface['addresses'][number] => ({
  address: text,
  family,
  prefix: 24,
});

test('the addresses of a guest are those that others reach, IPv4 first, and a guest cannot flood or fake them', () => {
  const eth0 = {
    name: 'eth0',
    mac: undefined,
    addresses: [address('fe80::1', 'ipv6'), address('2001:db8::1', 'ipv6'), address('192.0.2.7'), address('\u001b[2J')],
  };
  const loopback = { name: 'lo', mac: undefined, addresses: [address('127.0.0.1'), address('::1', 'ipv6')] };
  assert.deepEqual(
    addressRows([loopback, eth0]).map((row) => [row.interface, row.address]),
    [
      ['eth0', '192.0.2.7'],
      ['eth0', '2001:db8::1'],
      ['eth0', 'fe80::1'],
    ],
  );
  const many = { ...eth0, name: 'x'.repeat(1000), addresses: Array.from({ length: 1000 }, () => address('192.0.2.1')) };
  assert.equal(addressRows([many]).length, 64);
  assert.equal(addressRows([many])[0]?.interface.length, 64);
});
