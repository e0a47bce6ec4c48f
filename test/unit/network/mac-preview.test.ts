import assert from 'node:assert/strict';
import { test } from 'node:test';
import { macCandidates } from '../../../src/network/mac/mac.ts';
import { leaseMacs, macCollisions, parseLeases } from '../../../src/network/mac/mac-leases.ts';
import { previewMacs } from '../../../src/network/mac/mac-preview.ts';

const same = (machine: string, mac?: string) => ({ machine, name: 'n', os: 'o', nics: [{ index: 1, mac }] });

test('machines that never ran are shown with the addresses that they will get', () => {
  const [first, second] = macCandidates('n', 'o', 1);
  assert.deepEqual(previewMacs(parseLeases(undefined), [same('a'), same('b')]), [
    { machine: 'a', index: 1, mac: first },
    { machine: 'b', index: 1, mac: second },
  ]);
});

test('a machine that ran is shown with its lease', () => {
  const table = parseLeases(undefined);
  const leased = leaseMacs(table, same('b')).macs.get(1);
  assert.deepEqual(
    previewMacs(table, [same('a'), same('b')]).map(({ mac }) => mac === leased),
    [false, true],
  );
});

test("an address that mac= gives to a later machine is no other one's", () => {
  const [first, second] = macCandidates('n', 'o', 1);
  const shown = previewMacs(parseLeases(undefined), [same('a'), same('b', first?.toLowerCase())]);
  assert.deepEqual(
    shown.map(({ mac }) => mac),
    [second, first],
  );
});

test('two mac= that are alike are both shown, for the collision to be found', () => {
  const shown = previewMacs(parseLeases(undefined), [same('a', '52:54:00:00:00:01'), same('b', '52:54:00:00:00:01')]);
  assert.equal(macCollisions(shown).length, 1);
});
