import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { addMachineUser, makeNodes, type Node, type Nodes } from '../support/cluster-nodes.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { LIGHT } from '../support/lab.ts';
import { installProject } from '../support/nspawn.ts';
import { lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';
import { type Cluster, makeCluster, wait } from './cluster.ts';

/** A cluster that runs two machines: `web`, which takes nothing, and one that writes records and may move while it runs. */
export interface WriterCluster extends Nodes {
  readonly cluster: Cluster;
  /** Name of the machine that writes records. QEMUs of that name are counted on this host. */
  readonly rec: string;
  /** Number of the last record that the guest has said to be on the disk, while it ran on a node. */
  written(node: Node): number;
  /** How often the guest has booted, on all nodes. */
  boots(): number;
  /** Waits until the guest has written a record after all that were known before: no one of these was lost, and it runs. */
  writesOn(): Promise<void>;
  /** Does something while which the machine may be on its way: then there are two QEMUs. */
  moving(body: () => Promise<void>): Promise<void>;
  /** When how many QEMUs of that name lived. */
  sighted(): readonly Sighting[];
  /** The most of them at any time, while it may have been on its way and otherwise, and when otherwise there were several. */
  most(): {
    readonly still: number;
    readonly moved: number;
    readonly looks: number;
    readonly several: readonly string[];
  };
}

interface Sighting {
  readonly ms: number;
  readonly count: number;
}

/** Forms the cluster before the tests of the suite that this is called in. `archive` is that of `clusterLayer()`. */
export function writerCluster(count: number, archive: string): WriterCluster {
  const all = makeNodes({ after: (body) => after(body) }, count, archive);
  const { nodes, shared } = all;
  const cluster = makeCluster(nodes);
  const rec = `rec${process.pid}`;
  const sightings: Sighting[] = [];
  const moves: (readonly [fromMs: number, toMs: number])[] = [];
  let watcher: ChildProcess | undefined;
  after(() => void watcher?.kill());

  const consoleOf = ({ host }: Node): string => {
    const path = join(host.dir, 'var/log/qemu-init', `${rec}.console`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const written = (node: Node): number => lastWritten(consoleOf(node));
  let known = -1;

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
    nodes[0]?.host.sh('cd /shared && chown 801 web.img && chown 802 rec.qcow2 && chmod 600 *.img *.qcow2');
    // However many look for it, no two QEMUs of this name may live at any time.
    const watch = spawn('sh', ['-c', WATCH, 'sh', rec], { stdio: ['ignore', 'pipe', 'ignore'] });
    watch.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.trim().split('\n')) {
        const [ms = 0, seen = 0] = line.split(' ').map(Number);
        sightings.push({ ms, count: seen });
      }
    });
    watcher = watch;
    const names = nodes.map(({ name }) => name).join(' ');
    await cluster.form(RESOURCES.replaceAll('REC', rec).replace('NODES', names));
  });

  return {
    ...all,
    cluster,
    rec,
    written,
    boots: () => nodes.flatMap((node) => [...consoleOf(node).matchAll(/^boot /gm)]).length,
    async writesOn() {
      const node = cluster.nodeOf(rec);
      await wait('the guest writes', () => written(node) > known);
      known = written(node);
    },
    async moving(body) {
      const began = Date.now();
      await body();
      moves.push([began, Date.now()]);
    },
    sighted: () => sightings,
    most() {
      const isMoving = (ms: number): boolean => moves.some(([from, to]) => from <= ms && ms <= to);
      const most = (wanted: boolean): number =>
        Math.max(0, ...sightings.filter(({ ms }) => isMoving(ms) === wanted).map((each) => each.count));
      const several = sightings.filter(({ ms, count }) => count > 1 && !isMoving(ms));
      const times = several.map(({ ms }) => new Date(ms).toISOString());
      return { still: most(false), moved: most(true), looks: sightings.length, several: times };
    },
  };
}

/**
 * Prints the time in milliseconds, and the number of QEMUs that have the machine's disk: a check starts one without disks. On a
 * busy host pgrep(1) takes so long that one may end and the next begin meanwhile; those live together that are still there after it.
 */
const WATCH = `while sleep 0.2; do
  ms=$(date +%s%3N)
  pids=$(pgrep -d , -f "guest=$1.*/rec[.]qcow2")
  echo "$ms $(ps --no-headers -o stat -p "\${pids:-0}" 2>/dev/null | grep -vc '^Z')"
done`;

/** For crm(8); REC stands for the machine that writes records. */
const RESOURCES = `property stonith-enabled=true
rsc_defaults resource-stickiness=100
op_defaults timeout=60s
primitive fence stonith:fence_test params pcmk_host_list="NODES" pcmk_monitor_action=monitor
primitive web ocf:qemu-init:machine params machine=web on_guest_poweroff=stop op monitor interval=2s
primitive REC ocf:qemu-init:machine params machine=REC op monitor interval=2s \
  op migrate_to timeout=60s op migrate_from timeout=60s meta allow-migrate=true
`;
