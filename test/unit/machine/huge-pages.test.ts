import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildArgs } from '../../../src/machine/argv/build.ts';
import { object, option } from '../../../src/machine/argv/description.ts';
import { renderCalls } from '../../../src/machine/argv/render/qmp.ts';
import { hugePageIssues } from '../../../src/machine/check/huge-page-issues.ts';
import { growMemory } from '../../../src/machine/plug/room.ts';
import { argvRequest } from '../../support/argv-configs.ts';
import { tempDir } from '../../support/temp-root.ts';
import { parseGood, problemsOf } from '../config/support.ts';

const optionsOf = (text: string): string[] =>
  buildArgs(argvRequest({ title: '', text })).filter((arg) => /memory-backend|hugetlb/.test(arg));

const PAGES = 'share=on,hugetlb=on,hugetlbsize=2097152,prealloc=on';

test('memory in huge pages is a file in memory that is whole from the start', () => {
  const board = optionsOf('RAM=1G\nHUGEPAGES=2M\n');
  assert.match(board[0] ?? '', /^q35,.*memory-backend=ram/);
  assert.equal(board[1], `memory-backend-memfd,id=ram,size=1G,${PAGES}`);
  assert.equal(
    optionsOf('RAM=1G\nHUGEPAGES=on\nSHARE1=/srv\n')[1],
    'memory-backend-memfd,id=ram,size=1G,share=on,hugetlb=on,prealloc=on',
  );
  const nodes = 'RAM=1G\nSMP=2\nHUGEPAGES=2M\nNUMA1=512M,cpus=0,hostnodes=0\nNUMA2=512M,cpus=1\n';
  assert.deepEqual(optionsOf(nodes), [
    `memory-backend-memfd,id=numa1,size=512M,host-nodes=0,policy=bind,${PAGES}`,
    `memory-backend-memfd,id=numa2,size=512M,${PAGES}`,
  ]);
  assert.deepEqual(optionsOf('HUGEPAGES=off\n'), []);
});

test('memory must be a multiple of its pages', () => {
  assert.match(problemsOf('HUGEPAGES=1G\nRAM=1536M\n')[0] ?? '', /RAM 1536M must be a multiple of 1G/);
  assert.match(problemsOf('HUGEPAGES=2M\nRAM=3M\nNUMA1=3M,cpus=0\n')[0] ?? '', /NUMA1 3M must be a multiple of 2M/);
  parseGood('HUGEPAGES=on\nRAM=3M\n');
});

test('memory that is plugged in is in the same pages', () => {
  const had = object('HUGEPAGES', 'memory-backend-memfd', 'ram', {
    ...{ size: '1G', share: true, hugetlb: true, hugetlbsize: 1024 ** 3, prealloc: true },
  });
  assert.equal(growMemory([had], 128 * 1024 ** 2), 'memory in huge pages is plugged in pieces of 1G');
  const grown = growMemory([had, option('RAM', '-m', '1G')], 1024 ** 3);
  assert.ok(typeof grown !== 'string');
  assert.deepEqual(renderCalls(grown.plug)[0]?.arguments, {
    ...{ 'qom-type': 'memory-backend-memfd', id: 'dimm1-mem', size: 1024 ** 3 },
    ...{ share: true, hugetlb: true, hugetlbsize: 1024 ** 3, prealloc: true },
  });
});

test('a host that keeps too few huge pages is told how many are needed', (t) => {
  const root = tempDir(t);
  const issuesOf = (text: string): string[] =>
    hugePageIssues(parseGood(text), root).map(({ message, hint }) => `${message} (${hint})`);
  assert.deepEqual(issuesOf('HUGEPAGES=1G\nRAM=2G\n'), [
    'HUGEPAGES is 1G, but this host has no huge pages of 1G (set HUGEPAGES=off)',
  ]);
  assert.deepEqual(issuesOf('HUGEPAGES=on\n'), [
    'HUGEPAGES is on, but this host has no huge pages (set HUGEPAGES=off)',
  ]);
  const folder = '/sys/kernel/mm/hugepages/hugepages-2048kB';
  mkdirSync(join(root, folder), { recursive: true });
  mkdirSync(join(root, 'proc'));
  writeFileSync(join(root, 'proc/meminfo'), 'MemTotal: 1 kB\nHugepagesize:       2048 kB\n');
  writeFileSync(join(root, folder, 'nr_hugepages'), '500\n');
  writeFileSync(join(root, folder, 'nr_overcommit_hugepages'), '11\n');
  assert.deepEqual(issuesOf('HUGEPAGES=on\nRAM=1G\n'), [
    `HUGEPAGES needs 512 huge pages of 2M, but this host keeps 511 (have it keep more: echo 1012 >${folder}/nr_hugepages)`,
  ]);
  assert.deepEqual(issuesOf('HUGEPAGES=on\nRAM=3M\n'), [
    'RAM 3M is no multiple of the huge pages of this host, of 2M (undefined)',
  ]);
  const custom = (size: string): string[] =>
    issuesOf(`[custom]\n-object memory-backend-memfd,id=m,hugetlb=on,size=${size}\n`);
  assert.deepEqual(custom('1G'), [
    `"-object" in [custom] needs 512 huge pages of 2M, but this host keeps 511 (have it keep more: ${folder}/nr_hugepages)`,
  ]);
  assert.deepEqual(issuesOf('[custom]\n-object memory-backend-memfd,id=m,hugetlb=on,hugetlbsize=1G,size=1G\n'), [
    '"-object" in [custom] needs 1 huge pages of 1G, but this host keeps 0 (have it keep more: /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages)',
  ]);
  assert.deepEqual([...custom('1022M'), ...custom('1071644672')], []);
  assert.deepEqual([...issuesOf('HUGEPAGES=2M\nRAM=1022M\n'), ...issuesOf('RAM=64G\n')], []);
});
