import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Lab, lab } from '../support/lab.ts';

/** Sets lines of a machine's file in place of those with the same keys; an empty value removes the key. */
function edit(root: Lab, name: string, values: Readonly<Record<string, string>>): void {
  const file = `etc/qemu/${name}-qemu.cfg`;
  const lines = readFileSync(`${root.dir}/${file}`, 'utf8').split('\n');
  const kept = lines.filter((line) => !((line.split('=')[0] ?? '') in values) && line !== '');
  const added = Object.entries(values).flatMap(([key, value]) => (value === '' ? [] : [`${key}=${value}`]));
  root.write(file, `${[...kept, ...added].join('\n')}\n`);
}

test('diff names what a reload does, and a reload does all of it or nothing', async (t) => {
  const root = lab(t);
  root.add('web', 'MACHINE=q35\nHOTPLUG=2\nNIC1=virtio,net=user\n');
  for (const name of ['b.img', 'c.img', 'd.img']) root.write(`etc/qemu/${name}`, new Uint8Array(1024 ** 2));
  await root.ok('start', 'web');
  assert.deepEqual((await root.one('diff', 'web'))['differences'], []);

  edit(root, 'web', { DSK2: 'b.img', DSK3: 'c.img', STOPDELAY: '3' });
  const path = (name: string): string => `${root.etcDir}/${name}`;
  const live = { running: '', how: 'live', reason: null };
  assert.deepEqual((await root.one('diff', 'web'))['differences'], [
    { key: 'DSK2', file: path('b.img'), ...live },
    { key: 'DSK3', file: path('c.img'), ...live },
  ]);
  assert.deepEqual((await root.one('reload', 'web'))['applied'], ['DSK2', 'DSK3']);
  assert.deepEqual((await root.one('diff', 'web'))['differences'], []);
  const blocks = (await root.cmd('-c', 'info block', 'web')).stdout;
  assert.match(blocks, /dsk2-fmt: .*b\.img/);

  // A third device on two ports: nothing is done, not even what could be.
  edit(root, 'web', { DSK4: 'd.img', NIC1: 'virtio,net=user,mac=52:54:00:00:00:09', RAM: '16M' });
  const refused = await root.init('reload', 'web');
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /Cannot change RAM, DSK4 \(all 2 hot-plug ports/);
  assert.match(await root.ok('diff', 'web'), /^web: RAM: 8M -> 16M \(restart\)$/m);
  const after = (await root.cmd('-c', 'info block', 'web')).stdout;
  assert.equal(after, blocks);
  assert.ok(!after.includes('d.img'));
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(root.leftovers(), []);
});

test('a guest that releases nothing is reported in time, and a release that comes later is noticed', async (t) => {
  const root = lab(t);
  root.add('web', 'MACHINE=pc\nNIC1=virtio,net=user\n');
  root.write('etc/qemu/b.img', new Uint8Array(1024 ** 2));
  await root.ok('start', 'web');
  edit(root, 'web', { DSK2: 'b.img' });
  await root.ok('reload', 'web');
  // A boot sector without drivers never answers.
  edit(root, 'web', { DSK2: '', NIC1: '' });
  const began = Date.now();
  const late = await root.init('reload', 'web', '--timeout', '1');
  assert.ok(Date.now() - began < 10_000);
  assert.equal(late.code, 1, late.stderr);
  assert.match(late.stderr, /has not released (DSK2, NIC1|NIC1, DSK2) within 1 s/);
  assert.equal((await root.one('diff', 'web'))['differences'] instanceof Array, true);
  // The reset takes the place of a guest that lets go: QEMU then unplugs what was asked for.
  await root.ok('reset', 'web');
  assert.deepEqual((await root.one('reload', 'web'))['applied'], []);
  const nodes = (await root.cmd('-q', 'query-named-block-nodes', 'web')).stdout;
  assert.ok(!nodes.includes('dsk2'), nodes);
  assert.ok(!(await root.cmd('-c', 'info network', 'web')).stdout.includes('net0'));
  assert.deepEqual((await root.one('diff', 'web'))['differences'], []);
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(root.leftovers(), []);
});
