import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInterfaceName } from '../../../src/config/text/values.ts';
import { tapMatcher, tapName } from '../../../src/network/taps/tap-names.ts';

test('a short name is readable in full', () => {
  assert.equal(tapName('web', 1), 'web.1');
  assert.equal(tapName('db-server_2.x', 1).length, 15);
  assert.equal(tapName('mail-server1', 1), 'mail-server1.1');
});

test('a long name keeps its first letters and its number', () => {
  assert.match(tapName('database-of-the-billing-department', 1), /^databa-[0-9a-z]{6}\.1$/);
  assert.match(tapName('database-of-the-billing-department', 12), /^datab-[0-9a-z]{6}\.12$/);
});

test('tap names never change from one version to the next', () => {
  assert.equal(tapName('database-of-the-billing-department', 1), 'databa-k1mv3l.1');
});

test('every tap name is one that Linux takes', () => {
  for (const machine of ['a', 'A.b-c_d', '0', 'x'.repeat(40), 'all', 'default']) {
    for (const index of [1, 9, 10, 99, 100]) {
      assert.ok(isInterfaceName(tapName(machine, index)), tapName(machine, index));
      assert.ok(!['all', 'default', 'lo'].includes(tapName(machine, index)));
    }
  }
});

test('200 machines with 8 NICs each have 1,600 tap names', () => {
  const prefixes = ['', 'vm', 'customer-number-', 'a-very-long-prefix-that-they-all-share-', 'web.1.'];
  for (const prefix of prefixes) {
    const names = Array.from({ length: 1600 }, (_, n) => tapName(`${prefix}${Math.floor(n / 8)}`, (n % 8) + 1));
    assert.equal(new Set(names).size, 1600, prefix);
  }
});

test('machines whose names end like a tap of another do not meet', () => {
  assert.notEqual(tapName('a', 1), tapName('a.1', 1));
  assert.notEqual(tapName('a.1', 2), tapName('a', 12));
  const long = tapName('a-machine-with-a-long-name', 1);
  // A machine that is named as if to get the hashed name of another gets a hashed one itself.
  assert.notEqual(tapName(long.slice(0, -2), 1), long);
});

test('letters in upper and lower case make different names', () => {
  assert.notEqual(tapName('Web', 1), tapName('web', 1));
  assert.notEqual(tapName('Machine-with-a-long-name', 1), tapName('machine-with-a-long-name', 1));
});

test('a machine knows its own taps in a list', () => {
  const isOfWeb = tapMatcher('web');
  assert.deepEqual(['web.1', 'web.12', 'web.01', 'web', 'webx.1', 'web.x', 'web.1.1', 'eth0'].filter(isOfWeb), [
    'web.1',
    'web.12',
  ]);
  const long = 'a-machine-with-a-long-name';
  assert.ok(tapMatcher(long)(tapName(long, 3)));
  assert.ok(!tapMatcher(`${long}2`)(tapName(long, 3)));
});

test('what Linux or ip would misread is no interface name', () => {
  const bad = [
    '',
    '.',
    '..',
    'a b',
    'a/b',
    'a:b',
    '-a',
    'sixteen-letters-',
    'tap%d',
    'a"b',
    "a'b",
    'a\\b',
    '#a',
    'ä'.repeat(8),
    'a\n',
  ];
  for (const name of bad) assert.ok(!isInterfaceName(name), JSON.stringify(name));
  for (const name of ['br0', 'eth0.10', 'fifteen-letters', 'ä', 'a@b', 'a-b']) assert.ok(isInterfaceName(name), name);
});
