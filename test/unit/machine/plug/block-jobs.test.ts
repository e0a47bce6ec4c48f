import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobNodesOf, refuseDisksOfJobs } from '../../../../src/machine/plug/block-jobs.ts';

/** As QEMU 7.2 prints it for a mirror of DSK2, shortened; the last two edges lead round in a circle. */
const GRAPH = {
  nodes: [
    { id: 1, type: 'block-job', name: 'mine' },
    { id: 2, type: 'block-driver', name: '#block189' },
    { id: 3, type: 'block-driver', name: 'copy' },
    { id: 4, type: 'block-driver', name: 'dsk2-fmt' },
    { id: 5, type: 'block-driver', name: 'dsk2-file' },
    { id: 6, type: 'block-backend', name: '' },
    { id: 7, type: 'block-driver', name: 'dsk1-fmt' },
  ],
  edges: [
    { parent: 1, child: 2, name: 'main node', perm: [] },
    { parent: 1, child: 3, name: 'target', perm: [] },
    { parent: 2, child: 4, name: 'backing', perm: [] },
    { parent: 4, child: 5, name: 'file', perm: [] },
    { parent: 6, child: 7, name: 'root', perm: [] },
    { parent: 5, child: 4, name: 'odd', perm: [] },
    { parent: 5, child: 5, name: 'odd', perm: [] },
  ],
};

test('a job works on all nodes below it, and on no other disk', () => {
  const jobs = jobNodesOf(GRAPH);
  assert.deepEqual([...jobs.keys()], ['mine']);
  assert.deepEqual([...(jobs.get('mine') ?? [])].sort(), ['#block189', 'copy', 'dsk2-file', 'dsk2-fmt']);
  assert.throws(() => refuseDisksOfJobs('web', ['DSK1', 'DSK2'], jobs), { code: 'QEMU_LOCKED' });
  refuseDisksOfJobs('web', ['DSK1', 'DSK22'], jobs);
});

test('an answer of another form has no jobs', () => {
  for (const odd of [undefined, null, 1, 'x', [], {}, { nodes: 1, edges: [] }]) assert.equal(jobNodesOf(odd).size, 0);
});
