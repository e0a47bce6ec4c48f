import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  isInterfaceName,
  isIpv4,
  isIpv6,
  isMac,
  isMulticastMac,
  parseBoolean,
  parseInteger,
  parseSize,
  parseUuid,
  renderSize,
} from '../../../src/config/text/values.ts';
import { deriveUuid } from '../../../src/config/uuid.ts';

const MIB = 1024 ** 2;

suite('parseSize()', () => {
  test('reads what -m reads: bare numbers are MiB, suffixes powers of 1024', () => {
    const sizes: Readonly<Record<string, number>> = {
      '512': 512 * MIB,
      '2G': 2048 * MIB,
      '2g': 2048 * MIB,
      '2GB': 2048 * MIB,
      '2GiB': 2048 * MIB,
      '2 GB': 2048 * MIB,
      '1.5G': 1536 * MIB,
      '1024K': MIB,
      '1T': 1024 * 1024 * MIB,
      '1048576B': MIB,
      '0': 0,
    };
    for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSize(text), bytes, text);
  });

  test('takes nothing else', () => {
    for (const text of [
      '',
      'G',
      '2X',
      '-1',
      '+1',
      '1e3',
      '0x10',
      '2G2',
      '2 G B',
      '1.',
      '.5G',
      '0.3K',
      '9'.repeat(20),
    ]) {
      assert.equal(parseSize(text), undefined, text);
    }
  });

  test('reads what renderSize() writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 34 }), (kib) => {
        assert.equal(parseSize(renderSize(kib * 1024)), kib * 1024);
      }),
    );
    assert.equal(renderSize(2048 * MIB), '2G');
    assert.equal(renderSize(1536 * MIB), '1536M');
  });
});

test('parseBoolean() takes on, yes, true, 1 and their opposites in any case', () => {
  for (const text of ['on', 'ON', 'yes', 'True', '1']) assert.equal(parseBoolean(text), true, text);
  for (const text of ['off', 'No', 'FALSE', '0']) assert.equal(parseBoolean(text), false, text);
  for (const text of ['', 'auto', '2', 'o n']) assert.equal(parseBoolean(text), undefined, text);
});

test('parseInteger() takes decimal digits only', () => {
  assert.equal(parseInteger('007'), 7);
  for (const text of ['', '-1', '1.0', '1e1', ' 1', '0x1', '1'.repeat(10)])
    assert.equal(parseInteger(text), undefined, text);
});

suite('addresses', () => {
  test('a MAC address is six hexadecimal bytes, and a group has an odd first one', () => {
    assert.ok(isMac('DE:ad:BE:EF:34:33'));
    for (const text of ['DE:AD:BE:EF:34', 'DE-AD-BE-EF-34-33', 'DE:AD:BE:EF:34:3', 'xx:AD:BE:EF:34:33', '']) {
      assert.ok(!isMac(text), text);
    }
    assert.ok(isMulticastMac('01:00:5e:00:00:01'));
    assert.ok(isMulticastMac('ff:ff:ff:ff:ff:ff'));
    assert.ok(!isMulticastMac('DE:AD:BE:EF:34:33'));
  });

  test('IPv4 and IPv6 are told apart from other text', () => {
    for (const text of ['0.0.0.0', '127.0.0.1', '255.255.255.255']) assert.ok(isIpv4(text), text);
    for (const text of ['1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.4.', '1..2.3', 'a.b.c.d', ''])
      assert.ok(!isIpv4(text), text);
    for (const text of ['::', '::1', 'fe80::1', '2001:DB8::7', '::ffff:1.2.3.4']) assert.ok(isIpv6(text), text);
    for (const text of [':', '1', '1.2.3.4', '::1::', '[::1]', 'fe80::1%eth0', '12345::', 'g::'])
      assert.ok(!isIpv6(text), text);
  });

  test('an interface name has at most 15 bytes', () => {
    for (const text of ['br0', 'vmbr0.100', 'a'.repeat(15), 'brü']) assert.ok(isInterfaceName(text), text);
    for (const text of ['', '.', '..', 'a b', 'a/b', 'a:b', 'a'.repeat(16), 'ü'.repeat(8), 'a\u00A0b']) {
      assert.ok(!isInterfaceName(text), text);
    }
  });
});

suite('UUIDs', () => {
  test('are taken in any case and given in lower case', () => {
    assert.equal(parseUuid('550E8400-E29B-41D4-A716-446655440000'), '550e8400-e29b-41d4-a716-446655440000');
    for (const text of ['', '550e8400e29b41d4a716446655440000', '{550e8400-e29b-41d4-a716-446655440000}', 'x']) {
      assert.equal(parseUuid(text), undefined, text);
    }
  });

  test('that of a name never changes', () => {
    assert.equal(deriveUuid('web'), WEB_UUID);
  });

  test('one that is derived is RFC 4122 version 5 of its name in the namespace', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const uuid = deriveUuid(name);
        assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        const namespace = Buffer.from('d4de6ad811df45c3947bad3dfafb0f5e', 'hex');
        const hash = createHash('sha1').update(namespace).update(name).digest('hex');
        assert.equal(uuid.slice(0, 13), `${hash.slice(0, 8)}-${hash.slice(8, 12)}`);
      }),
    );
  });
});

const WEB_UUID = 'e1cf973b-83b4-58e8-ac26-9ca8ba24f3c3';
