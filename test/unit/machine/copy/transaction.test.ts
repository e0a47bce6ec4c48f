import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  copyJob,
  finalNode,
  shareOf,
  type Target,
  targetNodes,
  transactionOf,
} from '../../../../src/machine/copy/transaction.ts';

const full: Target = {
  id: 'dsk1',
  source: 'dsk1-fmt',
  file: 'dsk1.qcow2',
  format: 'qcow2',
  sizeBytes: 1,
  track: 'new',
};
const changed: Target = {
  ...full,
  id: 'dsk20',
  source: 'top',
  file: 'dsk20.qcow2',
  since: 'old',
  backing: '../p/dsk20.qcow2',
};
const variables: Target = { id: 'vars', source: 'vars-fmt', file: 'vars.fd', format: 'raw', sizeBytes: 1 };

test('all copies and bitmaps are one transaction, in which no bitmap is cleared and no job forgets its outcome', () => {
  const { actions } = transactionOf([full, changed, variables], 'chain', {
    rate: 3_000_000,
    compress: true,
    waitForSpace: false,
  });
  const common = { speed: 1_000_000, 'on-target-error': 'report', 'auto-dismiss': false };
  assert.deepEqual(actions, [
    { type: 'block-dirty-bitmap-add', data: { node: 'dsk1-fmt', name: 'new', persistent: true } },
    { type: 'block-dirty-bitmap-add', data: { node: 'top', name: 'new', persistent: true } },
    {
      type: 'blockdev-backup',
      data: {
        'job-id': 'qi.backup.dsk1.chain',
        device: 'dsk1-fmt',
        target: 'bk-dsk1-fmt',
        sync: 'full',
        compress: true,
        ...common,
      },
    },
    {
      type: 'blockdev-backup',
      data: {
        'job-id': 'qi.backup.dsk20.chain',
        device: 'top',
        target: 'bk-dsk20-fmt',
        sync: 'bitmap',
        bitmap: 'old',
        'bitmap-mode': 'never',
        compress: true,
        ...common,
      },
    },
    {
      type: 'blockdev-backup',
      data: {
        'job-id': 'qi.backup.vars.chain',
        device: 'vars-fmt',
        target: 'bk-vars-fmt',
        sync: 'full',
        // Only qcow2 can be compressed.
        compress: false,
        ...common,
      },
    },
  ]);
});

test('a target is opened without its backing file, and no name of a node is too long for QEMU', () => {
  const cache = { direct: false, 'no-flush': true };
  const [file, format] = targetNodes(changed, '/back, up');
  assert.deepEqual(file, { driver: 'file', 'node-name': 'bk-dsk20-file', filename: '/back, up/dsk20.qcow2', cache });
  const expected = { driver: 'qcow2', 'node-name': 'bk-dsk20-fmt', file: 'bk-dsk20-file', cache, backing: null };
  assert.deepEqual(format, expected);
  assert.deepEqual(finalNode(changed), { ...expected, 'read-only': true });
  assert.equal('backing' in (targetNodes(variables, '/x')[1] ?? {}), false);
  for (const name of targetNodes({ ...full, id: 'dsk999' }, '/x').map((node) => String(node['node-name']))) {
    assert.ok(name.length <= 31, name);
  }
  assert.equal(copyJob(full, '20260101-000000-00000000'), 'qi.backup.dsk1.20260101-000000-00000000');
});

test('a rate is shared, and never becomes no limit', () => {
  assert.deepEqual([shareOf(10, 3), shareOf(1, 5), shareOf(7, 0)], [3, 1, 7]);
});
