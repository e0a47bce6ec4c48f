import assert from 'node:assert/strict';
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';

const FOLDER = '/sys/kernel/mm/hugepages/hugepages-2048kB';
const RIGHTS = 'RUNAS=nobody\nNETIF=managed\nSANDBOX=on\n';

/** Pages of 2 MiB that this test adds to those of the host; fewer, where its memory is in too many pieces. */
function keepPages(t: Cleanup, count: number): number {
  const path = `${FOLDER}/nr_hugepages`;
  const before = numberIn('nr_hugepages');
  t.after(() => writeFileSync(path, String(before)));
  writeFileSync(path, String(before + count));
  return numberIn('nr_hugepages') - before;
}

function numberIn(name: string): number {
  return Number(readFileSync(`${FOLDER}/${name}`, 'utf8'));
}

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

test('the memory of a machine with HUGEPAGES is in huge pages, all of it from the start', {
  skip: !isRoot && 'only root may have the kernel keep huge pages',
}, async (t) => {
  const host = lab(t);
  chmodSync(host.dir, 0o711);
  if (keepPages(t, 20) < 20) return t.skip('this kernel keeps no huge pages');
  const add = (name: string, lines: string): string => {
    const cfg = host.add(name, `${RIGHTS}${lines}`);
    chownSync(join(host.etcDir, `${name}.img`), NOBODY, NOBODY);
    return cfg;
  };
  const cfg = add('web', 'HUGEPAGES=2M\nRAM=32M\n');
  const free = numberIn('free_hugepages');
  await host.ok('start', 'web');
  assert.equal(free - numberIn('free_hugepages'), 16);
  const { pid } = await host.one('status', 'web');
  assert.match(readFileSync(`/proc/${pid}/smaps`, 'utf8'), /memfd:.*\n(?:.*\n)*?KernelPageSize: +2048 kB/);
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^HugetlbPages:\s+32768 kB$/m);
  assert.equal((await host.init('check', 'web')).code, 0);
  // A second machine finds too few that are free, in what is kept.
  add('db', 'HUGEPAGES=on\nRAM=32M\n');
  const late = await host.init('start', 'db');
  assert.equal(late.code, 1);
  assert.match(late.stderr, /hint: the huge pages of HUGEPAGES are in use by others/);
  await host.ok('stop', '--force', 'web');
  assert.equal(numberIn('free_hugepages'), free);
  writeFileSync(cfg, readFileSync(cfg, 'utf8').replace('RAM=32M', 'RAM=256G'));
  const refused = await host.init('start', 'web');
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /HUGEPAGES needs 131072 huge pages of 2M, but this host keeps \d+/);
});
