import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSnapshots, parseStoredBitmaps } from '../../../../src/machine/disks/disk-layer.ts';
import { describeDisks } from '../../../../src/machine/disks/disk-nodes.ts';

/** A node as `query-named-block-nodes` has it. */
const node = (name: string, drv: string, file: string, more: object = {}) => ({
  'node-name': name,
  drv,
  file,
  ro: false,
  image: { 'virtual-size': 1000, 'actual-size': 10 },
  ...more,
});

/** A graph as `x-debug-query-block-graph` has it. */
function graph(edges: readonly (readonly [parent: string, edge: string, child: string])[]) {
  const names = [...new Set(edges.flatMap(([parent, , child]) => [parent, child]))];
  return {
    nodes: names.map((name, id) => ({ id, name, type: 'block-driver' })),
    edges: edges.map(([parent, name, child]) => ({ parent: names.indexOf(parent), name, child: names.indexOf(child) })),
  };
}

test('disks are found by drive, by device and in a storage daemon by node, with filters passed over', () => {
  const nodes = [
    node('dsk2-fmt', 'raw', '/a.img'),
    node('dsk2-file', 'file', '/a.img'),
    node('#top', 'qcow2', 'json:{"driver":"qcow2"}', { ro: true }),
    node('#top-file', 'file', '/b.qcow2'),
    node('cbw', 'copy-before-write', '/b.qcow2'),
    node('base', 'qcow2', '/base.qcow2'),
  ];
  const edges = graph([
    ['dsk2-fmt', 'file', 'dsk2-file'],
    ['cbw', 'file', '#top'],
    ['#top', 'file', '#top-file'],
    ['#top', 'backing', 'base'],
  ]);
  const blocks = [
    { device: '', qdev: '/machine/peripheral/dsk10-dev/virtio-backend', inserted: { 'node-name': 'cbw' } },
    { device: 'dsk2', inserted: { 'node-name': 'dsk2-fmt' }, 'io-status': 'nospace' },
    { device: 'cdr1', qdev: 'cdr1-dev', inserted: { 'node-name': 'base' } },
    { device: 'dsk3', qdev: 'dsk3-dev' },
  ];
  const disks = describeDisks(blocks, nodes, edges);
  assert.deepEqual(
    disks.map(({ key, node: name, ioStatus, layers }) => [key, name, ioStatus, layers.map(({ file }) => file)]),
    [
      ['DSK2', 'dsk2-fmt', 'nospace', ['/a.img']],
      ['DSK10', '#top', undefined, ['/b.qcow2', '/base.qcow2']],
    ],
  );
  assert.equal(disks[1]?.readonly, true);
  assert.deepEqual(
    describeDisks([], nodes, edges).map(({ key }) => key),
    ['DSK2'],
  );
});

test('a graph that is a loop, or an answer that is none, is no endless work', () => {
  const loop = describeDisks(
    [{ device: 'dsk1', inserted: { 'node-name': 'a' } }],
    [node('a', 'qcow2', '/a')],
    graph([['a', 'backing', 'a']]),
  );
  assert.equal(loop[0]?.layers.length, 500);
  assert.deepEqual(describeDisks([null, 5, { device: 'dsk1', inserted: {} }], [7], 'nonsense'), []);
});

test('what an image says of its snapshots and bitmaps is taken for no more than text', () => {
  assert.deepEqual(parseSnapshots([{ id: '1', name: 'a\nb', 'date-sec': 1e300, 'vm-state-size': 5 }, 7]), [
    { id: '1', name: 'a\nb', createdAt: '1970-01-01T00:00:00.000Z', vmStateBytes: 5 },
    { id: '', name: '', createdAt: '1970-01-01T00:00:00.000Z', vmStateBytes: 0 },
  ]);
  const [bitmap] = parseStoredBitmaps([{ name: 'qi', granularity: 65536, flags: ['in-use', 'auto'] }]);
  assert.deepEqual([bitmap?.name, bitmap?.inconsistent, bitmap?.recording], ['qi', true, true]);
});
