import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clusterLayer } from '../support/cluster-layer.ts';
import { wait } from './cluster.ts';
import { testNothingLost } from './nothing-lost.ts';
import { writerCluster } from './writer-cluster.ts';

const { archive = '', obstacle } = clusterLayer();

describe('two servers', { skip: obstacle }, () => {
  const scene = writerCluster(2, archive);
  const { nodes, fenced, connect, cluster, rec, moving, boots, writesOn } = scene;
  const { nodeOf, other, runsOn, lastEnd } = cluster;

  test('the cluster runs each machine on one node, in its own unit, and the other node cannot start it', async () => {
    for (const machine of ['web', rec]) {
      const node = nodeOf(machine);
      assert.equal(node.host.show(`qemu@${machine}.service`, 'ActiveState'), 'active');
      assert.equal(node.host.show('qemu-cluster.service', 'ActiveState'), 'active');
      assert.notEqual(other(node).host.run('qemu-init start "$1"', machine).code, 0);
      assert.equal(cluster.whereIs(machine), node);
    }
    assert.deepEqual(cluster.failures(), []);
  });

  test('a QEMU that is killed is missed, and runs again', async (t) => {
    const node = nodeOf('web');
    const pid = await runsOn('web', node);
    const began = Date.now();
    node.host.sh('kill -KILL "$1"', pid);
    await wait('the cluster has noticed', () => cluster.failures().length === 1);
    cluster.settle();
    t.diagnostic(`${Date.now() - began} ms until it ran again`);
    // Not always on the same node: once it is stopped, Pacemaker may think again.
    assert.match(cluster.failures().join(), new RegExp(`web .*monitor on ${node.name}.*not running`));
    nodeOf('web');
  });

  test('with on_guest_poweroff=stop a guest that powers itself off stays off', async () => {
    const { host } = nodeOf('web');
    host.sh('qemu-cmd web -c system_powerdown');
    const role = 'crm_resource --resource web --meta --get-parameter target-role';
    await wait('it is to be stopped', () => host.run(role).stdout.trim() === 'Stopped');
    cluster.settle();
    assert.equal(cluster.whereIs('web'), undefined);
    cluster.change('web', '--meta', '--delete-parameter', 'target-role');
    nodeOf('web');
  });

  test('a node in standby has its guest shut down by the power button, and it starts on the other', async (t) => {
    const node = nodeOf('web');
    const began = Date.now();
    node.host.sh('crm node standby');
    await runsOn('web', other(node));
    t.diagnostic(`${Date.now() - began} ms until it ran on the other node`);
    assert.equal(lastEnd('web', node), 'guest-shutdown');
    node.host.sh('crm node online; crm_resource --wait');
    assert.equal(nodeOf('web'), other(node));
  });

  test('a node in standby has a guest that may move go on on the other, where it writes on without a boot', async (t) => {
    await writesOn();
    const failures = cluster.failures();
    for (const back of [false, true]) {
      const node = nodeOf(rec);
      const began = Date.now();
      await moving(async () => {
        node.host.sh('crm node standby');
        await runsOn(rec, other(node));
        t.diagnostic(`${Date.now() - began} ms until its QEMU was on the other node`);
        await writesOn();
        cluster.settle();
      });
      assert.equal(lastEnd(rec, node), 'moved', back ? 'and back' : 'there');
      assert.equal(boots(), 1, 'it has booted once, where the cluster started it first');
      assert.equal(other(node).host.show(`qemu@${rec}.service`, 'ActiveState'), 'active');
      node.host.sh('crm node online; crm_resource --wait');
      assert.equal(nodeOf(rec), other(node));
    }
    assert.deepEqual(cluster.failures(), failures);
    assert.deepEqual(fenced(), []);
  });

  test('a guest that cannot move is shut down in order, and the cluster says why', async () => {
    const node = nodeOf(rec);
    other(node).host.sh('systemctl stop ssh.socket ssh.service');
    node.host.sh('crm node standby');
    await runsOn(rec, other(node));
    cluster.settle();
    assert.equal(lastEnd(rec, node), 'guest-shutdown');
    assert.match(cluster.failures().join(), new RegExp(`${rec} migrate_to on ${node.name}`));
    other(node).host.sh('systemctl start ssh.service');
    node.host.sh('crm node online; crm_resource --cleanup; crm_resource --wait');
    await writesOn();
  });

  test('a node that is shut down stops its guests by the power button or moves them, and boots without them', async () => {
    const node = nodeOf(rec);
    const machines = ['web', rec].filter((machine) => nodeOf(machine) === node);
    // The guest has to be up to hear the button.
    await writesOn();
    // Who starts machines at boot as well would run them twice.
    for (const machine of machines) {
      for (const { host } of nodes) {
        const file = `/etc/qemu/${machine}-qemu.cfg`;
        host.write(file, `${host.read(file)}AUTOSTART=on\n`);
      }
    }
    const { stdout } = node.host.run('qemu-init doctor');
    for (const machine of machines) assert.match(stdout, new RegExp(`${machine}.*AUTOSTART is on, but the cluster`));
    await moving(async () => {
      await node.host.powerOff();
      await node.cut();
    });
    for (const machine of machines) await runsOn(machine, other(node));
    await cluster.enter(node);
    for (const machine of machines) {
      assert.equal(lastEnd(machine, node), machine === rec ? 'moved' : 'guest-shutdown');
      assert.equal(nodeOf(machine), other(node));
    }
    assert.deepEqual(fenced(), []);
  });

  test('a node that dies is fenced, its machine goes on on the other, and no record is lost', async (t) => {
    await writesOn();
    const node = nodeOf(rec);
    const began = Date.now();
    await node.cut();
    await runsOn(rec, other(node));
    t.diagnostic(`${Date.now() - began} ms until the machine of the dead node ran again`);
    assert.deepEqual(fenced(), [node.name]);
    await writesOn();
    await cluster.enter(node);
    assert.equal(nodeOf(rec), other(node));
  });

  test('of two nodes that do not see each other one is fenced before its machine starts on the other', async (t) => {
    const node = nodeOf(rec);
    const survivor = other(node);
    await writesOn();
    // Else they might kill each other.
    cluster.change('fence', '--set-parameter', 'pcmk_delay_base', '--parameter-value', `${survivor.name}:60s`);
    const count = fenced().length;
    const began = Date.now();
    connect(false);
    await runsOn(rec, survivor);
    t.diagnostic(`${Date.now() - began} ms until the machine of the fenced node ran again`);
    assert.deepEqual(fenced().slice(count), [node.name]);
    await node.cut();
    await writesOn();
  });

  testNothingLost(scene);
});
