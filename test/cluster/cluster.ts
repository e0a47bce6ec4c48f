import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Node } from '../support/cluster-nodes.ts';

/** A cluster of two nodes or more. */
export interface Cluster {
  /** Has the nodes, which are booted, make a cluster, and waits until it has done what `resources` (crm(8)) asks for. */
  form(resources: string): Promise<void>;
  /** Boots a node that is off, and has it join those that are up. */
  enter(node: Node): Promise<void>;
  /** Waits until the cluster has nothing to do. */
  settle(): void;
  /** Runs crm_resource for a resource, on a node that is up, and waits for what comes of it. */
  change(resource: string, ...options: readonly string[]): void;
  /** The node on which the QEMU of a machine lives; undefined: none. */
  whereIs(machine: string): Node | undefined;
  /** The same; it has to live. */
  nodeOf(machine: string): Node;
  /** Another one. */
  other(node: Node): Node;
  /** All of the nodes on which a QEMU of a machine lives. */
  all(machine: string): Node[];
  /** Waits until the QEMU of a machine lives on a node, and returns its pid there. */
  runsOn(machine: string, node: Node): Promise<string>;
  /** What ended the last run of a machine on a node. */
  lastEnd(machine: string, node: Node): string;
  /** Actions that have failed, as crm_mon(8) lists them. */
  failures(): string[];
}

/** Generous: the processors may be needed elsewhere. */
const LONG_MS = 120_000;

/** Waits for something that costs a look at files, or the start of a program. */
export async function wait(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + LONG_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`It did not come true that ${what}`);
    await sleep(200);
  }
}

/** Nothing is started; the nodes may be off. */
export function makeCluster(nodes: readonly Node[]): Cluster {
  const other = (node: Node): Node => {
    const found = nodes.find((each) => each !== node);
    assert.ok(found);
    return found;
  };
  for (const { host } of nodes) {
    host.write('/etc/corosync/corosync.conf', corosync(nodes));
    host.write('/etc/corosync/authkey', Buffer.alloc(256, 'k'), 0o400);
    host.write('/var/lib/pacemaker/cib/cib.xml', CIB, 0o600);
  }
  letThemLogIn(nodes);
  const members = (): Node[] => nodes.filter(({ peek }) => peek('/run/crm_mon.test') === '');
  /** A node to ask. */
  const up = (): Node => {
    const [node] = members();
    assert.ok(node, 'a node is in the cluster');
    return node;
  };
  const start = ({ host }: Node): void => {
    host.sh(
      'chown -R hacluster:haclient /var/lib/pacemaker/cib; systemctl start ssh corosync pacemaker; : >/run/crm_mon.test',
    );
  };
  const isComplete = (): boolean => {
    const online = ` Online: [ ${members()
      .map(({ name }) => name)
      .join(' ')} ]`;
    return members().every(({ host }) => host.run('crm_mon -1').stdout.includes(online));
  };
  const pidOn = (machine: string, { peek }: Node): string | undefined => {
    const pid = peek(`/run/qemu-init/${machine}/qemu/pid`)?.trim() ?? '';
    return pid !== '' && peek(`/proc/${pid}/comm`)?.startsWith('qemu-') ? pid : undefined;
  };
  const all = (machine: string): Node[] => nodes.filter((node) => pidOn(machine, node) !== undefined);
  const whereIs = (machine: string): Node | undefined => all(machine)[0];
  const settle = (): void => void up().host.sh('crm_resource --wait');
  return {
    async form(resources) {
      for (const node of nodes) start(node);
      await wait('all nodes are in the cluster', isComplete);
      up().host.write('/root/resources', resources);
      up().host.sh('crm configure load update /root/resources');
      settle();
    },
    async enter(node) {
      await node.boot();
      start(node);
      await wait(`${node.name} is in the cluster`, isComplete);
      settle();
    },
    settle,
    change(resource, ...options) {
      up().host.sh('crm_resource --resource "$@" && crm_resource --wait', resource, ...options);
    },
    whereIs,
    nodeOf(machine) {
      const node = whereIs(machine);
      assert.ok(node, `${machine} runs`);
      return node;
    },
    other,
    all,
    async runsOn(machine, node) {
      await wait(`${machine} runs on ${node.name}`, () => pidOn(machine, node) !== undefined);
      return pidOn(machine, node) ?? '';
    },
    lastEnd(machine, { host }) {
      return JSON.parse(host.run('qemu-init status --json "$1"', machine).stdout)[0].lastEnd?.cause;
    },
    failures() {
      const list = /Failed Resource Actions:\n((?: {2}\*.*\n)+)/.exec(up().host.run('crm_mon -1').stdout)?.[1] ?? '';
      return list.split('\n').filter(Boolean);
    },
  };
}

/** Root of each node may log in on the other. Their host keys are those of the layer, the same for both. */
function letThemLogIn(nodes: readonly Node[]): void {
  const dir = mkdtempSync(join(tmpdir(), 'qi-'));
  try {
    const key = join(dir, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    for (const { host } of nodes) {
      host.write('/root/.ssh/id_ed25519', readFileSync(key), 0o600);
      host.write('/root/.ssh/authorized_keys', readFileSync(`${key}.pub`), 0o600);
      const hostKey = host.read('/etc/ssh/ssh_host_ed25519_key.pub');
      host.write('/root/.ssh/known_hosts', nodes.map(({ name }) => `${name} ${hostKey}`).join(''));
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The token's time is long enough for processors that are needed elsewhere. */
function corosync(nodes: readonly Node[]): string {
  const list = nodes.map(
    ({ name, address }, at) => `  node {
    name: ${name}
    nodeid: ${at + 1}
    ring0_addr: ${address}
  }
`,
  );
  return `totem {
  version: 2
  cluster_name: qi
  transport: knet
  crypto_cipher: aes256
  crypto_hash: sha256
  token: 6000
}
nodelist {
${list.join('')}}
quorum {
  provider: corosync_votequorum
${nodes.length === 2 ? '  two_node: 1\n' : ''}}
logging {
  to_syslog: yes
}
`;
}

/** A new cluster waits 20 s for a coordinator that there may be. */
const CIB = `<cib validate-with="pacemaker-3.8" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config>
<cluster_property_set id="options"><nvpair id="dc" name="dc-deadtime" value="2s"/></cluster_property_set>
</crm_config><nodes/><resources/><constraints/></configuration><status/></cib>
`;
