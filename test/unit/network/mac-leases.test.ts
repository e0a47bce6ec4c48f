import assert from 'node:assert/strict';
import { test } from 'node:test';
import { macCandidates } from '../../../src/network/mac/mac.ts';
import {
  leaseMacs,
  macCollisions,
  parseLeases,
  releaseMacs,
  renderLeases,
} from '../../../src/network/mac/mac-leases.ts';

const nics = (count: number) => Array.from({ length: count }, (_, n) => ({ index: n + 1 }));
const web = { machine: 'web', name: 'web', os: 'debian', nics: nics(1) };

test('a fleet of 200 machines with 8 NICs has 1,600 different addresses', () => {
  const table = parseLeases(undefined);
  const all = Array.from({ length: 200 }, (_, n) => {
    const { macs } = leaseMacs(table, { machine: `vm${n}`, name: 'same', os: 'same', nics: nics(8) });
    return [...macs.values()];
  }).flat();
  assert.equal(all.length, 1600);
  assert.equal(new Set(all).size, 1600);
});

test('a machine keeps its addresses when NAME and OS change', () => {
  const table = parseLeases(undefined);
  const before = leaseMacs(table, web);
  const after = leaseMacs(parseLeases(renderLeases(table)), { ...web, name: 'other', os: 'other' });
  assert.deepEqual(after.macs, before.macs);
  assert.deepEqual([before.changed, after.changed], [true, false]);
});

test('an address that is taken elsewhere is passed over', () => {
  const [first, second] = macCandidates('web', 'debian', 1);
  assert.equal(leaseMacs(parseLeases(undefined), web).macs.get(1), first);
  assert.equal(leaseMacs(parseLeases(undefined), web, new Set([first ?? ''])).macs.get(1), second);
});

test('mac= goes before the lease, and the leased address comes back without it', () => {
  const table = parseLeases(undefined);
  const derived = leaseMacs(table, web).macs.get(1);
  const fixed = { ...web, nics: [{ index: 1, mac: '52:54:00:aa:bb:cc' }] };
  assert.equal(leaseMacs(table, fixed).macs.get(1), '52:54:00:AA:BB:CC');
  assert.equal(leaseMacs(table, fixed).changed, false);
  assert.equal(leaseMacs(table, web).macs.get(1), derived);
  assert.equal(table.owners.has('52:54:00:AA:BB:CC'), false);
});

test("no derived address is one that another machine's mac= has", () => {
  const [first, second] = macCandidates('web', 'debian', 1);
  const table = parseLeases(undefined);
  leaseMacs(table, { machine: 'db', name: 'db', os: '', nics: [{ index: 1, mac: first }] });
  assert.equal(leaseMacs(table, web).macs.get(1), second);
});

test("mac= with the address of another machine's NIC is refused, naming it", () => {
  const table = parseLeases(undefined);
  const taken = leaseMacs(table, web).macs.get(1);
  assert.throws(() => leaseMacs(table, { machine: 'db', name: 'db', os: '', nics: [{ index: 2, mac: taken }] }), {
    code: 'QEMU_CONFIG_INVALID',
    message: `Cannot give "${taken}" to NIC2 of "db": NIC1 of "web" has it`,
  });
});

test('two NICs of one machine with one address are refused', () => {
  const twice = [1, 2].map((index) => ({ index, mac: '52:54:00:00:00:01' }));
  assert.throws(() => leaseMacs(parseLeases(undefined), { ...web, nics: twice }), { code: 'QEMU_CONFIG_INVALID' });
});

test('two NICs of one machine can swap their addresses', () => {
  const table = parseLeases(undefined);
  const [a, b] = ['52:54:00:00:00:01', '52:54:00:00:00:02'];
  leaseMacs(table, {
    ...web,
    nics: [
      { index: 1, mac: a },
      { index: 2, mac: b },
    ],
  });
  const { macs } = leaseMacs(table, {
    ...web,
    nics: [
      { index: 1, mac: b },
      { index: 2, mac: a },
    ],
  });
  assert.deepEqual(
    [...macs],
    [
      [1, b],
      [2, a],
    ],
  );
});

test('an address that no NIC can have is refused', () => {
  assert.throws(() => leaseMacs(parseLeases(undefined), { ...web, nics: [{ index: 1, mac: '01:00:00:00:00:01' }] }), {
    code: 'QEMU_CONFIG_INVALID',
  });
});

test('a NIC that is taken out of the file frees its mac= and keeps its lease', () => {
  const table = parseLeases(undefined);
  const derived = leaseMacs(table, { ...web, nics: nics(2) }).macs;
  leaseMacs(table, { ...web, nics: [1, 2, 3].map((index) => ({ index, mac: `52:54:00:00:00:0${index}` })) });
  leaseMacs(table, web);
  const again = parseLeases(renderLeases(table));
  assert.equal(again.damaged, false);
  assert.deepEqual([...again.owners.keys()], [...derived.values()]);
});

test('released addresses are free for others', () => {
  const table = parseLeases(undefined);
  const { macs } = leaseMacs(table, web);
  assert.equal(releaseMacs(table, 'web'), true);
  assert.equal(releaseMacs(table, 'web'), false);
  assert.deepEqual(leaseMacs(table, { ...web, machine: 'web2' }).macs, macs);
});

test('a machine that comes back without its lease gives way to who has the address now', () => {
  const table = parseLeases(undefined);
  const first = leaseMacs(table, web).macs.get(1);
  releaseMacs(table, 'web');
  leaseMacs(table, { ...web, machine: 'other' });
  assert.notEqual(leaseMacs(table, web).macs.get(1), first);
});

test('a file that is damaged in any way loses no more than what is damaged', () => {
  for (const text of ['', '{', '[]', '"x"', 'null']) {
    const table = parseLeases(text);
    assert.deepEqual([table.damaged, table.machines.size], [true, 0], text);
  }
  const good = { derived: 'DE:AD:BE:EF:00:01' };
  const table = parseLeases(
    JSON.stringify({
      web: { 1: good, 0: good, x: good, 2: 'no', 3: { derived: 'no' }, 4: { derived: 'de:ad:be:ef:00:01' } },
      db: [],
    }),
  );
  assert.equal(table.damaged, true);
  assert.deepEqual([...table.owners], [['DE:AD:BE:EF:00:01', { machine: 'web', index: 1 }]]);
});

test('a table that was written is read back the same', () => {
  const table = parseLeases(undefined);
  leaseMacs(table, { ...web, nics: nics(3) });
  leaseMacs(table, { machine: 'db', name: 'db', os: '', nics: [{ index: 1, mac: '52:54:00:00:00:01' }] });
  releaseMacs(table, 'gone');
  const again = parseLeases(renderLeases(table));
  assert.deepEqual(again.owners, new Map([...table.owners].sort()));
  assert.equal(again.damaged, false);
  assert.equal(renderLeases(again), renderLeases(table));
  assert.equal(parseLeases(renderLeases(parseLeases(undefined))).damaged, false);
});

test('NICs that share an address are found, however it is written', () => {
  const found = macCollisions([
    { machine: 'a', index: 1, mac: 'de:ad:be:ef:00:01' },
    { machine: 'b', index: 2, mac: 'DE-AD-BE-EF-00-01' },
    { machine: 'c', index: 1, mac: 'DE:AD:BE:EF:00:02' },
    { machine: 'd', index: 1, mac: 'nonsense' },
    { machine: 'e', index: 1, mac: 'nonsense' },
  ]);
  assert.deepEqual(found, [
    {
      mac: 'DE:AD:BE:EF:00:01',
      nics: [
        { machine: 'a', index: 1 },
        { machine: 'b', index: 2 },
      ],
    },
  ]);
});
