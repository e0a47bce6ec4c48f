import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkRecords } from '../support/writer-guest.ts';
import { wait } from './cluster.ts';
import type { WriterCluster } from './writer-cluster.ts';

/** Defines the last test of a suite: whatever was done to the cluster before, nothing that the guest wrote is lost. */
export function testNothingLost({ cluster, rec, shared, written, sighted, most }: WriterCluster): void {
  test('two QEMUs never had the machine but while it moved, and all records are whole', async (t) => {
    const node = cluster.nodeOf(rec);
    cluster.change(rec, '--meta', '--set-parameter', 'target-role', '--parameter-value', 'Stopped');
    assert.equal(cluster.lastEnd(rec, node), 'guest-shutdown');
    const { last, wrong } = checkRecords(join(shared, 'rec.qcow2'));
    assert.deepEqual(wrong, []);
    assert.ok(last >= written(node));
    await wait('it is seen that it is down', () => sighted().at(-1)?.count === 0);
    const { still, moved, looks, several } = most();
    t.diagnostic(`looked ${looks} times; ${moved} at most while it moved`);
    assert.equal(still, 1, several.join());
    assert.ok(moved <= 2);
  });
}
