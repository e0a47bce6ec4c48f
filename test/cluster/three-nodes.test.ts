import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clusterLayer } from '../support/cluster-layer.ts';
import { wait } from './cluster.ts';
import { testNothingLost } from './nothing-lost.ts';
import { writerCluster } from './writer-cluster.ts';

const { archive = '', obstacle } = clusterLayer();

describe('three servers', { skip: obstacle }, () => {
  const scene = writerCluster(3, archive);
  const { nodes, fenced, holdFencing, cluster, rec, boots, writesOn } = scene;
  const { nodeOf, lastEnd } = cluster;
  const machines = ['web', rec];
  const names = (machine: string): string[] => cluster.all(machine).map(({ name }) => name);

  test('the cluster runs each machine on one of three nodes, and no other node can start it', async () => {
    for (const machine of machines) {
      const node = nodeOf(machine);
      for (const { host } of nodes.filter((each) => each !== node)) {
        assert.notEqual(host.run('qemu-init start "$1"', machine).code, 0);
      }
      assert.deepEqual(names(machine), [node.name]);
    }
    assert.deepEqual(cluster.failures(), []);
  });

  test('check --cluster asks both other nodes, and says which of them has another file', async () => {
    const { host } = nodeOf(rec);
    const [one, two] = nodes.filter((each) => each !== nodeOf(rec));
    assert.ok(one && two);
    const before = host.run('qemu-init check --cluster "$1"', rec);
    assert.equal(before.code, 0, before.stderr);
    const cfg = `/etc/qemu/${rec}-qemu.cfg`;
    const text = two.host.read(cfg);
    two.host.write(cfg, `${text}DESC=another\n`);
    const { code, stderr } = host.run('qemu-init check --cluster "$1"', rec);
    two.host.write(cfg, text);
    assert.equal(code, 6);
    assert.match(stderr, new RegExp(`${two.name}: the file of the machine is another one there`));
    assert.doesNotMatch(stderr, new RegExp(`${one.name}: `));
  });

  test('a node in standby has its guest go on on one of the two others, without a boot', async () => {
    await writesOn();
    const node = nodeOf(rec);
    const count = boots();
    await scene.moving(async () => {
      node.host.sh('crm node standby; crm_resource --wait');
      await writesOn();
    });
    assert.notEqual(nodeOf(rec), node);
    assert.equal(names(rec).length, 1);
    assert.equal(lastEnd(rec, node), 'moved');
    assert.equal(boots(), count);
    node.host.sh('crm node online; crm_resource --wait');
    assert.deepEqual(cluster.failures(), []);
  });

  test('a node that dies is fenced by the two others, which go on, and one of them has its machine', async (t) => {
    await writesOn();
    const node = nodeOf(rec);
    const began = Date.now();
    await node.cut();
    await wait('another node has the machine', () => cluster.all(rec).some((each) => each !== node));
    t.diagnostic(`${Date.now() - began} ms until the machine of the dead node ran again`);
    assert.deepEqual(fenced(), [node.name]);
    await writesOn();
    for (const machine of machines) assert.equal(names(machine).length, 1);
    await cluster.enter(node);
    assert.notEqual(nodeOf(rec), node);
  });

  test('a node that sees no other stops its machines, and none starts elsewhere before the node is fenced', async (t) => {
    await writesOn();
    const node = nodeOf(rec);
    const own = machines.filter((machine) => nodeOf(machine) === node);
    const count = fenced().length;
    holdFencing(true);
    node.isolate();
    await wait('its machines are down', () => own.every((machine) => names(machine).length === 0));
    for (const machine of own) assert.equal(lastEnd(machine, node), 'guest-shutdown', machine);
    const [other] = nodes.filter((each) => each !== node);
    const isDecided = (): boolean => / UNCLEAN \(offline\)/.test(other?.host.run('crm_mon -1').stdout ?? '');
    await wait('the others want it to be fenced', isDecided);
    for (const machine of own) assert.deepEqual(names(machine), []);
    assert.equal(fenced().length, count);
    const began = Date.now();
    holdFencing(false);
    await wait('it runs elsewhere', () => own.every((machine) => names(machine).length === 1));
    t.diagnostic(`${Date.now() - began} ms from then on until they ran elsewhere`);
    assert.equal(fenced()[count], node.name);
    for (const machine of own) assert.notEqual(nodeOf(machine), node);
    await node.cut();
    await writesOn();
    await cluster.enter(node);
  });

  test('the last of three nodes stops its machines, and runs them again when it is one of two', async () => {
    await writesOn();
    const last = nodeOf(rec);
    const [one, two] = nodes.filter((each) => each !== last);
    assert.ok(one && two);
    await Promise.all([one.cut(), two.cut()]);
    await wait('all machines are down', () => machines.every((machine) => names(machine).length === 0));
    assert.equal(lastEnd(rec, last), 'guest-shutdown');
    await cluster.enter(one);
    await wait('all machines run', () => machines.every((machine) => names(machine).length === 1));
    await writesOn();
    assert.ok(fenced().includes(two.name));
  });

  testNothingLost(scene);
});
