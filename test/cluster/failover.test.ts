import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { clusterLayer } from '../support/cluster-layer.ts';
import { addMachineUser, makeNodes, type Node } from '../support/cluster-nodes.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { LIGHT } from '../support/lab.ts';
import { installProject } from '../support/nspawn.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';
import { makeCluster, wait } from './cluster.ts';

const { archive = '', obstacle } = clusterLayer();

describe('two servers', { skip: obstacle }, () => {
  const { nodes, shared, fenced, connect } = makeNodes({ after: (body) => after(body) }, 2, archive);
  const [first, second] = nodes;
  assert.ok(first && second);
  const cluster = makeCluster(first, second);
  const { nodeOf, other, runsOn, lastEnd } = cluster;
  /** Name of the machine that writes records; QEMUs of that name are counted on this host. */
  const rec = `rec${process.pid}`;
  /** When how many QEMUs of that name lived, and when the machine may have been on its way: then there are two. */
  const sightings: string[] = [];
  const moves: (readonly [fromMs: number, toMs: number])[] = [];
  const moving = async (body: () => Promise<void>): Promise<void> => {
    const began = Date.now();
    await body();
    moves.push([began, Date.now()]);
  };
  let watcher: ChildProcess | undefined;
  after(() => void watcher?.kill());

  /** Number of the last record that the guest has said to be on the disk, while it ran on a node. */
  const written = ({ host }: Node): number => lastWritten(host.run('cat "/var/log/qemu-init/$1.console"', rec).stdout);
  const boots = (): number =>
    nodes.flatMap(({ host }) => [...host.run('cat "/var/log/qemu-init/$1.console"', rec).stdout.matchAll(/^boot /gm)])
      .length;
  let known = -1;
  /** Waits until the guest has written a record after all that were known before: no one of these was lost, and it runs. */
  const writesOn = async (): Promise<void> => {
    const node = nodeOf(rec);
    await wait('the guest writes', () => written(node) > known);
    known = written(node);
  };

  before(async () => {
    const guest = writerGuest(shared);
    copyFileSync(guest.kernel, join(shared, 'vmlinuz'));
    writerDisk(join(shared, 'rec.qcow2'), { size: '512M' });
    guestDisk(shared, { name: 'web.img' });
    await Promise.all(nodes.map((node) => node.boot()));
    for (const node of nodes) {
      const { host } = node;
      installProject(host);
      // The images belong to a number.
      addMachineUser(node, 'web', 801);
      addMachineUser(node, rec, 802);
      host.write('/etc/qemu/web-qemu.cfg', `${LIGHT}DSK1=/shared/web.img\n`);
      const writer = writerMachine({ ...guest, kernel: '/shared/vmlinuz', initrd: '/shared/initrd' });
      host.write(`/etc/qemu/${rec}-qemu.cfg`, `${LIGHT.replace('RAM=8M\n', '')}${writer}DSK1=/shared/rec.qcow2\n`);
      host.sh('printf "web=web\\n$1=$1\\n" >>/etc/qemu/qemu-init.reg', rec);
    }
    first.host.sh('cd /shared && chown 801 web.img && chown 802 rec.qcow2 && chmod 600 *.img *.qcow2');
    // However many look for it, no two QEMUs of this name may live at any time.
    const watch = spawn('sh', ['-c', WATCH, 'sh', rec], { stdio: ['ignore', 'pipe', 'ignore'] });
    watch.stdout.setEncoding('utf8').on('data', (text: string) => sightings.push(...text.trim().split('\n')));
    watcher = watch;
    await cluster.form(RESOURCES.replaceAll('REC', rec));
  });

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

  test('two QEMUs never had the machine but while it moved, and all records are whole', async (t) => {
    const node = nodeOf(rec);
    cluster.change(rec, '--meta', '--set-parameter', 'target-role', '--parameter-value', 'Stopped');
    assert.equal(lastEnd(rec, node), 'guest-shutdown');
    const { last, wrong } = checkRecords(join(shared, 'rec.qcow2'));
    assert.deepEqual(wrong, []);
    assert.ok(last >= written(node));
    await wait('it is seen that it is down', () => sightings.at(-1)?.endsWith(' 0') === true);
    const counts = sightings.map((line) => {
      const [ms = 0, count = 0] = line.split(' ').map(Number);
      return { ms, count };
    });
    const isMoving = (ms: number): boolean => moves.some(([from, to]) => from <= ms && ms <= to);
    const most = (wanted: boolean): number =>
      Math.max(0, ...counts.filter(({ ms }) => isMoving(ms) === wanted).map(({ count }) => count));
    t.diagnostic(`looked ${counts.length} times; ${most(true)} at most while it moved`);
    assert.equal(most(false), 1);
    assert.ok(most(true) <= 2);
  });
});

/** Prints the time in milliseconds, and the number of QEMUs of a machine. */
const WATCH = 'while sleep 0.2; do echo "$(date +%s%3N) $(pgrep -c -f "guest=$1")"; done';

/** For crm(8); REC stands for the machine that writes records. */
const RESOURCES = `property stonith-enabled=true
rsc_defaults resource-stickiness=100
op_defaults timeout=60s
primitive fence stonith:fence_test params pcmk_host_list="node1 node2" pcmk_monitor_action=monitor
primitive web ocf:qemu-init:machine params machine=web on_guest_poweroff=stop op monitor interval=2s
primitive REC ocf:qemu-init:machine params machine=REC op monitor interval=2s \
  op migrate_to timeout=60s op migrate_from timeout=60s meta allow-migrate=true
`;
