import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { nearest } from '../../../src/base/text.ts';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { hintOf } from '../../../src/config/text/issues.ts';
import { isValidName } from '../../../src/config/text/names.ts';

suite('isValidName()', () => {
  test('takes 1 to 40 letters, digits, "_", "." and "-" behind a letter or digit', () => {
    for (const name of ['a', '0', 'web-1.example_x', 'A'.repeat(40)]) assert.ok(isValidName(name), name);
    for (const name of ['', '-a', '.', '..', '_a', 'a/b', 'a b', 'ü', 'a\n', 'A'.repeat(41)]) {
      assert.ok(!isValidName(name), JSON.stringify(name));
    }
  });
});

suite('nearest()', () => {
  const keys = ['RAM', 'DSK1', 'BRIDGE_IFNAME', 'STOPDELAY'];

  test('finds a word with a letter too many, too few, wrong, or swapped, in any case', () => {
    assert.equal(nearest('DISK1', keys), 'DSK1');
    assert.equal(nearest('DK1', keys), 'DSK1');
    assert.equal(nearest('RAN', keys), 'RAM');
    assert.equal(nearest('RMA', keys), 'RAM');
    assert.equal(nearest('ram', keys), 'RAM');
    assert.equal(nearest('BRIDGE_INAME', keys), 'BRIDGE_IFNAME');
  });

  test('finds nothing when nothing is near', () => {
    assert.equal(nearest('XYZ', keys), undefined);
    assert.equal(nearest('', keys), undefined);
    assert.equal(nearest('RAM', []), undefined);
  });

  test('takes any words, also very long ones', () => {
    assert.equal(nearest('x'.repeat(1_000_000), keys), undefined);
    fc.assert(fc.property(fc.string(), fc.array(fc.string()), (word, words) => void nearest(word, words)));
  });

  test('a word of the list is nearest to itself', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 20 }), { minLength: 1 }), (words) => {
        const [word = ''] = words;
        assert.equal(nearest(word, words)?.toLowerCase(), word.toLowerCase());
      }),
    );
  });
});

suite('hintOf()', () => {
  const issue = { file: '/etc/qemu/web-qemu.cfg', message: 'Unknown key "X"', severity: 'error' } as const;

  test('a file of nothing but mistakes has no name searched for past the hundred that are shown', () => {
    let searches = 0;
    const search = (): string => `search ${++searches}`;
    assert.equal(hintOf(search, []), 'search 1');
    assert.equal(hintOf(search, Array(99).fill(issue)), 'search 2');
    assert.equal(hintOf(search, Array(100).fill(issue)), undefined);
    assert.equal(hintOf('given', Array(100).fill(issue)), 'given');
    assert.equal(searches, 2);
  });

  test('of 50,000 unknown keys each that is shown still has its hint', () => {
    const text = Array.from({ length: 50_000 }, (_, at) => `BOOTORDERX${at}=1\n`).join('');
    const { issues } = parseMachineConfig(text, { path: '/etc/qemu/web-qemu.cfg' });
    assert.deepEqual(new Set(issues.slice(0, 100).map(({ hint }) => hint)), new Set(['did you mean "BOOTORDER"?']));
    assert.deepEqual(
      issues.slice(100).map(({ message }) => message),
      ['There are 49900 more problems'],
    );
  });
});
