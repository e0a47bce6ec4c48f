import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Container, container, SYSTEMD } from './nspawn.ts';
import { repoRoot } from './repo.ts';
import type { Cleanup } from './temp-root.ts';

/** Hosts that can be nodes of a cluster, on a bridge of their own. */
export interface Nodes {
  readonly nodes: readonly Node[];
  /** Folder that all of them have as `/shared`. */
  readonly shared: string;
  /** Names of the nodes that others have had killed by `fence_test`, in that order. */
  fenced(): string[];
  /** Switches the bridge off or on: without it no node sees another one, but all still see the shared folder. */
  connect(on: boolean): void;
  /** Has `fence_test` wait before it kills, as a device does that takes its time. */
  holdFencing(on: boolean): void;
}

/** A host with systemd and the packages of a cluster. */
export interface Node {
  readonly name: string;
  readonly address: string;
  readonly host: Container;
  /** Boots it, after whatever ended it, and connects it to the others. */
  boot(): Promise<void>;
  /** Takes its cable out: until it boots again it sees no other node, but the shared folder. */
  isolate(): void;
  /** Ends it as a power cut does; also after a fence agent or itself has ended it. */
  cut(): Promise<void>;
  /** Text of one of its files outside of its root file system, such as /run; undefined if it is not there. */
  peek(path: string): string | undefined;
}

/** What the nodes are made of. */
export interface NodesOptions {
  readonly names?: readonly string[];
  /** Whether the archive is a whole system, in place of a layer on this host: that of `bareDebian()`. */
  readonly isSystem?: boolean;
}

/** Made for one suite, not booted; all of it goes afterwards. `archive` is that of `clusterLayer()`. */
export function makeNodes(t: Cleanup, count: number, archive: string, options: NodesOptions = {}): Nodes {
  const base = mkdtempSync(join(tmpdir(), 'qi-'));
  const namespace = `qi-ha-${process.pid}`;
  const ended: (() => Promise<void> | void)[] = [];
  t.after(async () => {
    for (const body of ended) await body();
    spawnSync('ip', ['netns', 'delete', namespace]);
    spawnSync('umount', ['--recursive', '--lazy', base]);
    rmSync(base, { recursive: true, force: true });
  });
  const [shared, layer, fence] = [join(base, 'shared'), join(base, 'layer'), join(base, 'shared/fence')];
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', base]);
  for (const folder of [shared, layer, fence]) mkdirSync(folder);
  execFileSync('tar', ['--extract', '--xattrs', '--xattrs-include=*', '--file', archive, '--directory', layer]);
  ip('netns', 'add', namespace);
  ip('-n', namespace, 'link', 'add', BRIDGE, 'type', 'bridge');
  const connect = (on: boolean): void => ip('-n', namespace, 'link', 'set', BRIDGE, on ? 'up' : 'down');
  connect(true);

  const { isSystem = false, names = Array.from({ length: count }, (_, index) => `node${index + 1}`) } = options;
  const hosts = names.map((name, index) => `${addressOf(index)} ${name}\n`).join('');
  const own: Cleanup = { after: (body) => void ended.push(body) };
  const nodes = names.map((name, index): Node => {
    const host = container(own, SYSTEMD, {
      ...(isSystem ? { system: layer } : { layers: [layer] }),
      network: { namespace, bridge: BRIDGE },
      options: [`--bind=${shared}:/shared`],
    });
    host.write('/etc/hostname', `${name}\n`);
    // As Debian's installer does it; the rest is for who sets up a cluster.
    host.write('/etc/hosts', isSystem ? `127.0.0.1 localhost\n127.0.1.1 ${name}\n` : `127.0.0.1 localhost\n${hosts}`);
    host.write('/etc/systemd/journald.conf.d/test.conf', '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\n');
    host.write('/usr/sbin/fence_test', readFileSync(join(repoRoot, 'test/support/fence_test')), 0o755);
    const noteLeader = (): void => writeFileSync(join(fence, `${name}.leader`), `${host.leader()}\n`);
    return {
      name,
      address: addressOf(index),
      host,
      isolate() {
        const other = host.sh('cat /sys/class/net/host0/iflink');
        const links: { ifindex: number; ifname: string }[] = JSON.parse(
          execFileSync('ip', ['-n', namespace, '-j', 'link'], { encoding: 'utf8' }),
        );
        const end = links.find(({ ifindex }) => String(ifindex) === other);
        ip('-n', namespace, 'link', 'set', end?.ifname ?? '', 'down');
      },
      async cut() {
        await host.cut();
        noteLeader();
      },
      async boot() {
        await host.cut();
        await host.boot();
        noteLeader();
        host.sh(`hostname ${name}; ip address add ${addressOf(index)}/24 dev host0; ip link set host0 up`);
      },
      peek(path) {
        if (host.leader() === 0) return undefined;
        try {
          return readFileSync(join(`/proc/${host.leader()}/root`, path), 'utf8');
        } catch {
          return undefined;
        }
      },
    };
  });
  const hold = join(fence, 'hold');
  return {
    nodes,
    shared,
    fenced: fencing(own, fence),
    connect,
    holdFencing: (on) => (on ? writeFileSync(hold, '') : rmSync(hold)),
  };
}

/** Makes the user of a machine on a node, with a UID that the others can give it too. */
export function addMachineUser({ host }: Node, machine: string, uid: number): void {
  const account = '--system --gid qemu --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin';
  host.sh(`exec useradd ${account} --uid "$2" --comment "QEMU machine $1" "qi-$1"`, machine, `${uid}`);
}

/** Starts the host's side of `fence_test`; the result lists the nodes that it has killed. */
function fencing(t: Cleanup, dir: string): () => string[] {
  execFileSync('mkfifo', [join(dir, 'requests')]);
  writeFileSync(join(dir, 'log'), '');
  const fence = spawn('sh', ['-c', FENCE, 'sh', dir], { stdio: 'ignore' });
  fence.unref();
  t.after(() => void fence.kill());
  return () => readFileSync(join(dir, 'log'), 'utf8').split('\n').filter(Boolean);
}

/** A process of its own, as the one of the test waits for commands in the nodes, which may wait for this. */
const FENCE = `cd "$1" || exit 1
exec 3<>requests
while read -r node <&3; do
  while [ -e hold ]; do sleep 0.1; done
  leader=$(cat "$node.leader")
  echo 0 >"$node.leader"
  [ "$leader" -le 1 ] || kill -KILL "$leader"
  while [ "$leader" -gt 1 ] && [ -e "/proc/$leader" ]; do sleep 0.02; done
  echo "$node" >>log
  : >"$node.off"
done`;

const BRIDGE = 'ha0';

function addressOf(index: number): string {
  return `10.77.0.${index + 1}`;
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
