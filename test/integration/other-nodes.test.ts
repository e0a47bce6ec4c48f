import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { nodeFacts } from '../../src/fleet/cluster/describe-node.ts';
import { compareWithNodes, otherNodes } from '../../src/fleet/cluster/other-nodes.ts';
import { Machines } from '../../src/fleet/machines.ts';
import { tempRoot } from '../support/temp-root.ts';

test('the nodes to compare with are those of the cluster but this one', (t) => {
  const root = tempRoot(t);
  const machines = Machines.at(root.dir, () => {});
  assert.deepEqual(otherNodes(machines), []);
  const nodes = [hostname(), 'node2', 'node3'].map((uname, at) => `<node id="${at}" uname="${uname}"/>`).join('');
  root.write('var/lib/pacemaker/cib/cib.xml', `<cib><nodes>${nodes}</nodes></cib>`);
  assert.deepEqual(otherNodes(machines), ['ssh://node2', 'ssh://node3']);
});

test('of a machine that it does not know a node tells that, and what its defaults are', async (t) => {
  const root = tempRoot(t);
  root.write('etc/qemu/defaults-qemu.cfg', 'RAM=1G\n');
  const { defaultsHash, ...rest } = await nodeFacts(
    Machines.at(root.dir, () => {}),
    'web',
  );
  assert.match(defaultsHash ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    name: 'web',
    isRegistered: false,
    shortName: undefined,
    cfg: '',
    cfgHash: undefined,
    macs: [],
    uid: undefined,
    isRunning: false,
    problems: [],
  });
});

test('without nodes there is nothing to compare, and what is no place is refused', async (t) => {
  const machines = Machines.at(tempRoot(t).dir, () => {});
  assert.deepEqual([...(await compareWithNodes(machines, [], []))], []);
  await assert.rejects(compareWithNodes(machines, [], ['node2']), { code: 'QEMU_USAGE' });
});
