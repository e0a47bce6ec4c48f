import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Lab, lab } from '../support/lab.ts';
import { lyingQemu, mutate } from '../support/lying-qemu.ts';
import type { Cleanup } from '../support/temp-root.ts';

type Json = Record<string, unknown>;

/** A layer that a captured QEMU claims to have. */
interface Claim {
  readonly file: string;
  readonly format?: string;
}

/** A machine `bad` with an overlay `top` on `base`, and a file of root's. */
function scene(t: Cleanup): { readonly root: Lab; readonly bait: string; readonly cfg: () => string } {
  const root = lab(t);
  root.write('etc/qemu/monitor.conf', 'MONITOR=off\n');
  const create = (...words: string[]): void => {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...words], { cwd: root.etcDir });
  };
  create('base.qcow2', '4M');
  create('-F', 'qcow2', '-b', 'base.qcow2', 'top.qcow2');
  const path = root.add('bad', 'DSK1=top.qcow2\n');
  const bait = join(root.dir, 'bait');
  writeFileSync(bait, 'precious');
  return { root, bait, cfg: () => readFileSync(path, 'utf8') };
}

/** QEMU has these layers below the one on top, and does all that it is asked for, by its own word. */
async function claim(t: Cleanup, root: Lab, claims: readonly Claim[]): Promise<void> {
  let isOver = false;
  const jobs: Json[] = [];
  const top = { node: 'dsk1-fmt', file: join(root.etcDir, 'top.qcow2'), format: 'qcow2' };
  const layers = [top, ...claims.map(({ file, format = 'qcow2' }, at) => ({ node: `claim${at}`, file, format }))];
  const now = (): typeof layers => (isOver ? layers.slice(-1) : layers);
  const nodeOf = ({ node, file, format }: (typeof layers)[number]): Json[] => [
    { 'node-name': node, drv: format, file, ro: false, image: { filename: file, format, 'virtual-size': 4 << 20 } },
    { 'node-name': `${node}-file`, drv: 'file', file, ro: false, image: { filename: file, format: 'file' } },
  ];
  await lyingQemu(t, root, 'bad', {
    lie: (value) => value,
    instead: (command, args) => {
      switch (command) {
        case 'query-named-block-nodes':
          return now().flatMap(nodeOf);
        case 'query-block':
          return [{ device: 'dsk1', qdev: 'dsk1-dev', inserted: { 'node-name': now()[0]?.node } }];
        case 'x-debug-query-block-graph': {
          const nodes = now().flatMap(({ node }, at) => [
            { id: 2 * at + 1, name: node },
            { id: 2 * at + 2, name: `${node}-file` },
          ]);
          const edges = now().flatMap((_, at) => [
            { parent: 2 * at + 1, child: 2 * at + 2, name: 'file' },
            { parent: 2 * at + 1, child: 2 * at + 3, name: 'backing' },
          ]);
          return { nodes, edges: edges.filter(({ child }) => child <= nodes.length) };
        }
        case 'query-jobs':
          return jobs;
        case 'block-commit':
          jobs.push({
            id: args['job-id'],
            type: 'commit',
            status: 'ready',
            'current-progress': 1,
            'total-progress': 1,
          });
          return {};
        case 'job-complete':
          Object.assign(jobs[0] ?? {}, { status: 'pending' });
          return {};
        case 'job-finalize':
          Object.assign(jobs[0] ?? {}, { status: 'concluded' });
          isOver = true;
          return {};
        case 'job-dismiss':
          jobs.length = 0;
          return {};
        case 'blockdev-del':
          return {};
        default:
          return undefined;
      }
    },
  });
}

test('a captured QEMU that claims other images below its disk has none of them removed, named or trusted', async (t) => {
  const { root, bait, cfg } = scene(t);
  await root.ok('start', 'bad');
  const before = cfg();
  const base = join(root.etcDir, 'base.qcow2');
  const other = join(root.etcDir, 'other.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', other, '4M']);
  const lies: Readonly<Record<string, readonly Claim[]>> = {
    'a file of root in between': [{ file: bait }, { file: base }],
    'a file of root at the bottom': [{ file: bait, format: 'raw' }],
    'another image at the bottom': [{ file: other }],
    'another format': [{ file: base, format: 'raw' }],
    'options in place of a format': [{ file: base, format: `qcow2,backing=${bait}` }],
  };
  for (const [what, claims] of Object.entries(lies)) {
    await claim(t, root, claims);
    const { code, stderr } = await root.init('disk', 'commit', 'bad', 'DSK1');
    assert.notEqual(code, 0, what);
    assert.match(stderr, /DSK1/, what);
    assert.equal(readFileSync(bait, 'utf8'), 'precious', what);
    assert.ok(existsSync(base) && existsSync(other) && existsSync(join(root.etcDir, 'top.qcow2')), what);
    assert.equal(cfg(), before, what);
    await root.ok('kill', 'bad');
    await root.ok('start', 'bad');
  }
  // What QEMU reports truly is collapsed.
  await root.ok('disk', 'commit', 'bad', 'DSK1');
  assert.match(cfg(), /^DSK1=base\.qcow2,format=qcow2$/m);
});

test('a backup has the places of the disks from the machine’s file, whatever a captured QEMU says of them', async (t) => {
  const { root } = scene(t);
  const top = join(root.etcDir, 'top.qcow2');
  const place = join(root.dir, 'etc/ld.so.preload');
  await root.ok('start', 'bad');
  await lyingQemu(t, root, 'bad', { lie: (value) => mutate(value, (leaf) => (leaf === top ? place : leaf)) });
  const dest = join(root.dir, 'dest');
  mkdirSync(dest);
  await root.ok('backup', 'create', 'bad', dest, '--quiesce', 'off');
  const [point] = readdirSync(join(dest, 'bad')).filter((name) => /^\d/.test(name));
  const { disks } = JSON.parse(readFileSync(join(dest, 'bad', point ?? '', 'manifest.json'), 'utf8'));
  assert.equal(disks[0].sourcePath, top);
  await root.ok('kill', 'bad');
});
