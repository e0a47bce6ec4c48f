import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodesInCib } from '../../../src/fleet/cluster/cib.ts';
import { compareNodes } from '../../../src/fleet/cluster/compare-nodes.ts';
import { type NodeFacts, readNodeFacts } from '../../../src/fleet/cluster/node-facts.ts';

const OTHER = { node: 'node2', login: 'ssh root@node2' };

const facts = (own: Partial<NodeFacts> = {}): NodeFacts => ({
  name: 'web',
  isRegistered: true,
  shortName: 'w',
  cfg: '/etc/qemu/web-qemu.cfg',
  cfgHash: 'a',
  defaultsHash: undefined,
  macs: [[1, 'de:ad:be:ef:00:01']],
  uid: 801,
  isRunning: false,
  problems: [],
  ...own,
});

const told = (there: Partial<NodeFacts>, here: Partial<NodeFacts> = {}): string[] =>
  compareNodes(facts(here), facts(there), OTHER).map(({ severity, message }) => `${severity}: ${message}`);

test('nodes that know a machine alike have nothing to tell', () => {
  assert.deepEqual(told({}), []);
  assert.deepEqual(told({ isRunning: true }), []);
  // Who has no user of its own, or no such NIC, is told of by the file.
  assert.deepEqual(told({ uid: undefined, macs: [] }), []);
});

test('all that differs between two nodes is told, with how to see it', () => {
  assert.deepEqual(
    told(
      {
        shortName: undefined,
        cfgHash: 'b',
        defaultsHash: 'c',
        macs: [[1, 'de:ad:be:ef:00:02']],
        uid: 802,
        isRunning: true,
        problems: ['DSK1 "/shared/web.qcow2" does not exist'],
      },
      { isRunning: true },
    ),
    [
      'error: node2: the machine runs there too',
      'error: node2: its short name there is none, and here "w"',
      'error: node2: the file of the machine is another one there',
      'warning: node2: defaults-qemu.cfg is another one there, and counts for each machine',
      'error: node2: NIC1 has the address de:ad:be:ef:00:02 there, and de:ad:be:ef:00:01 here',
      'error: node2: the user that runs the machine has UID 802 there, and 801 here',
      'error: node2: DSK1 "/shared/web.qcow2" does not exist',
    ],
  );
  const [file] = compareNodes(facts(), facts({ cfgHash: 'b', cfg: '/srv/a b/web-qemu.cfg' }), OTHER);
  // A shell here and one there read it.
  assert.equal(
    file?.hint,
    String.raw`ssh root@node2 'cat '\''/srv/a b/web-qemu.cfg'\''' | diff /etc/qemu/web-qemu.cfg -`,
  );
  assert.deepEqual(told({ isRegistered: false, isRunning: true }), [
    'error: node2: the machine runs there, though it is not registered',
    'error: node2: the machine is not registered there',
  ]);
});

test('whatever another node sends is read as facts', () => {
  const sent = facts({ problems: ['x'], isRunning: true });
  assert.deepEqual(readNodeFacts(JSON.parse(JSON.stringify(sent))), sent);
  const nothing = readNodeFacts({ macs: [1, null], problems: [{}], uid: 'root', isRegistered: 'yes' });
  assert.deepEqual(
    [nothing.isRegistered, nothing.uid, nothing.cfgHash, nothing.name],
    [false, undefined, undefined, ''],
  );
});

test('the nodes of a cluster are read from its CIB, without remote hosts and guests', () => {
  const nodes =
    '<node id="1" uname="node1"/><node uname="node2" id="2" type="member"></node><node uname="r" type="remote"/>';
  assert.deepEqual(nodesInCib(`<cib><nodes>${nodes}</nodes><node uname="elsewhere"/></cib>`), ['node1', 'node2']);
  assert.deepEqual(nodesInCib('<cib>'), []);
});
