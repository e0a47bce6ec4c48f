import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterLayer } from '../support/cluster-layer.ts';
import { type Container, container, SYSTEMD } from '../support/nspawn.ts';
import type { Cleanup } from '../support/temp-root.ts';

/** Hosts that can be nodes of a cluster, on a bridge of their own. */
export interface Nodes {
  /** Each is a host with systemd, the project and the packages of a cluster; none is booted. */
  readonly nodes: readonly Node[];
  /** Folder that all of them have as `/shared`. */
  readonly shared: string;
}

export interface Node {
  readonly name: string;
  readonly host: Container;
  /** Boots it and connects it to the others. */
  boot(): Promise<void>;
}

/** Made for one suite; all of it goes afterwards. */
export function makeNodes(t: Cleanup, count: number): Nodes {
  const base = mkdtempSync(join(tmpdir(), 'qi-'));
  const namespace = `qi-ha-${process.pid}`;
  const [shared, layer] = [join(base, 'shared'), join(base, 'layer')];
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', base]);
  for (const folder of [shared, layer]) mkdirSync(folder);
  execFileSync('tar', ['--extract', '--xattrs', '--xattrs-include=*', '--file', clusterLayer(), '-C', layer]);
  ip('netns', 'add', namespace);
  const bodies: (() => Promise<void> | void)[] = [];
  const own: Cleanup = { after: (body) => void bodies.push(body) };
  ip('-n', namespace, 'link', 'add', BRIDGE, 'type', 'bridge');
  ip('-n', namespace, 'link', 'set', BRIDGE, 'up');
  const nodes = Array.from({ length: count }, (_, index): Node => {
    const name = `node${index + 1}`;
    const host = container(own, SYSTEMD, {
      layers: [layer],
      network: { namespace, bridge: BRIDGE },
      options: [`--bind=${shared}:/shared`],
    });
    host.write('/etc/hostname', `${name}\n`);
    host.write(
      '/etc/hosts',
      `127.0.0.1 localhost\n${Array.from({ length: count }, (__, at) => `${addressOf(at)} node${at + 1}\n`).join('')}`,
    );
    host.write('/etc/systemd/journald.conf.d/test.conf', '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\n');
    return {
      name,
      host,
      async boot() {
        await host.boot();
        host.sh(`hostname ${name}; ip address add ${addressOf(index)}/24 dev host0; ip link set host0 up`);
      },
    };
  });
  t.after(async () => {
    for (const body of bodies) await body();
    ip('netns', 'delete', namespace);
    spawnSync('umount', ['--recursive', base]);
    rmSync(base, { recursive: true, force: true });
  });
  return { nodes, shared };
}

const BRIDGE = 'ha0';

function addressOf(index: number): string {
  return `10.77.0.${index + 1}`;
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
