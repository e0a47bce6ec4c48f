import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { macCandidates, normalizeMac } from '../../../src/network/mac/mac.ts';
import { hostSideMac } from '../../../src/network/taps/tap-plan.ts';

function first(count: number, name: string, os: string, index: number): string[] {
  const candidates = macCandidates(name, os, index);
  return Array.from({ length: count }, () => candidates.next().value);
}

test('the first candidate is bytes 0-1 of the hash of NAME, OS and x', () => {
  const hash = createHash('sha256').update('web\0debian\x001').digest('hex').toUpperCase();
  assert.deepEqual(first(2, 'web', 'debian', 1), [
    `DE:AD:BE:EF:${hash.slice(0, 2)}:${hash.slice(2, 4)}`,
    `DE:AD:BE:EF:${hash.slice(4, 6)}:${hash.slice(6, 8)}`,
  ]);
});

test('addresses never change from one version to the next', () => {
  assert.deepEqual(first(3, 'web', 'debian', 1), ['DE:AD:BE:EF:1A:CE', 'DE:AD:BE:EF:99:3C', 'DE:AD:BE:EF:E0:BB']);
});

test('after 16 candidates the hash of the hash goes on', () => {
  const hash = createHash('sha256').update('web\0\x001').digest();
  const next = createHash('sha256').update(hash).digest('hex').toUpperCase();
  assert.equal(first(17, 'web', '', 1)[16], `DE:AD:BE:EF:${next.slice(0, 2)}:${next.slice(2, 4)}`);
});

test('NAME, OS and x each make another address', () => {
  const all = [
    first(1, 'a', 'b', 1),
    first(1, 'a', 'b', 2),
    first(1, 'a', 'c', 1),
    first(1, 'ab', '', 1),
    first(1, '', 'ab', 1),
  ];
  assert.equal(new Set(all.flat()).size, 5);
});

test('an address is written in upper case with colons', () => {
  assert.equal(normalizeMac('de:ad:be:ef:00:0a'), 'DE:AD:BE:EF:00:0A');
  assert.equal(normalizeMac('52-54-00-12-34-56'), '52:54:00:12:34:56');
});

test('what no NIC can have is no address', () => {
  const bad = [
    '',
    '52:54:00:12:34',
    '52:54:00:12:34:5',
    '52:54:00-12:34:56',
    '525400123456',
    '01:00:5e:00:00:01',
    'ff:ff:ff:ff:ff:ff',
    '00:00:00:00:00:00',
  ];
  for (const text of bad) assert.equal(normalizeMac(text), undefined, text);
});

test("the host's end of a tap has the NIC's address with the highest first byte, and never the same", () => {
  assert.equal(hostSideMac('DE:AD:BE:EF:01:02'), 'fe:ad:be:ef:01:02');
  assert.equal(hostSideMac('FE:AD:BE:EF:01:02'), 'fa:ad:be:ef:01:02');
});
