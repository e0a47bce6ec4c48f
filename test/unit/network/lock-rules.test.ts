import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipv6Bits } from '../../../src/network/taps/ipv6-bits.ts';
import { tapRules } from '../../../src/network/taps/lock-rules.ts';

const tap = 'web.1';
const mac = 'DE:AD:BE:EF:00:01';

test('without addresses only the MAC is locked', () => {
  assert.equal(
    tapRules({ tap, mac, lock: true, addresses: [] }),
    `add table netdev qemu-init.web.1
delete table netdev qemu-init.web.1
table netdev qemu-init.web.1 {
  chain ingress {
    type filter hook ingress device "web.1" priority -500; policy accept;
    ether saddr != de:ad:be:ef:00:01 drop
    arp saddr ether != de:ad:be:ef:00:01 drop
  }
}
`,
  );
});

test('with addresses of one kind nothing of the other gets out', () => {
  const ipv4 = tapRules({ tap, mac, lock: true, addresses: ['192.0.2.5', '198.51.100.0/24'] });
  assert.match(ipv4, /\n {4}arp saddr ip 192\.0\.2\.5 accept\n/);
  assert.match(ipv4, /\n {4}ip saddr 198\.51\.100\.0\/24 meta l4proto != 255 accept\n/);
  assert.match(ipv4, /\n {4}drop\n {2}\}\n\}\n$/);
  assert.doesNotMatch(ipv4, /ip6|icmpv6/);
  const ipv6 = tapRules({ tap, mac, lock: true, addresses: ['2001:db8::5'] });
  assert.match(ipv6, /\n {4}ip6 saddr 2001:db8::5 meta l4proto != \{ 0, .* \} accept\n/);
  assert.doesNotMatch(ipv6, / ip saddr|arp saddr ip/);
});

test('an IPv6 guest may claim only its own addresses and the link-local one of its MAC', () => {
  assert.match(
    tapRules({ tap, mac, lock: true, addresses: ['2001:db8::/64'] }),
    / {2}chain neighbour \{\n {4}@th,64,128 & 0xf{32} == 0xfe80{13}dcadbefffeef0001 return\n {4}@th,64,128 & 0xf{16}0{16} == 0x20010db80{24} return\n {4}drop\n {2}\}/,
  );
});

test('IPv6 addresses in every spelling become the same bits', () => {
  const digits = '20010db8000000000000000000000005';
  for (const text of ['2001:db8::5', '2001:0DB8:0:0:0:0:0:5', '2001:db8:0:0::5', '2001:db8::0.0.0.5']) {
    assert.deepEqual(ipv6Bits(text, 128), { value: digits, mask: 'f'.repeat(32) }, text);
  }
  assert.deepEqual(ipv6Bits('::', 0), { value: '0'.repeat(32), mask: '0'.repeat(32) });
  assert.deepEqual(ipv6Bits('ffff::1', 3), { value: `e${'0'.repeat(31)}`, mask: `e${'0'.repeat(31)}` });
  assert.deepEqual(ipv6Bits('1:2:3:4:5:6:7::', 128).value, '00010002000300040005000600070000');
});

test('a rate limits both directions, with and without a lock', () => {
  const limited = tapRules({ tap, mac, addresses: [], lock: false, rate: 10 * 1024 ** 2 });
  assert.equal(limited.match(/limit rate over 10485760 bytes\/second burst 1048576 bytes drop/g)?.length, 2);
  assert.match(limited, /hook ingress .*\n {4}limit/);
  assert.match(limited, /hook egress .*\n {4}limit/);
  assert.ok(!limited.includes('ether saddr'));
  assert.match(
    tapRules({ tap, mac, addresses: [], lock: true, rate: 65_536 }),
    /burst 262144 bytes drop\n {4}ether saddr/,
  );
});
