import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Runs a program and returns what it printed; fails with that when its status is not 0. */
export function sh(file: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`"${file} ${args.join(' ')}" ended with ${status}: ${stderr}${stdout}`);
  return stdout;
}

/** One interface as `ip -d -j link show` tells it. */
export interface Link {
  readonly ifname: string;
  readonly mtu: number;
  readonly address: string;
  readonly master?: string;
  readonly ifalias?: string;
  readonly flags: readonly string[];
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: { readonly user?: string; readonly multi_queue?: boolean };
    readonly info_slave_data?: { readonly isolated?: boolean };
  };
}

/** All interfaces but `lo`, by name. */
export function links(): Map<string, Link> {
  const all: Link[] = JSON.parse(sh('ip', '-d', '-j', 'link', 'show'));
  return new Map(all.filter(({ ifname }) => ifname !== 'lo').map((link) => [link.ifname, link]));
}

/** The names of the interfaces but `lo`. */
export function linkNames(): string[] {
  return [...links().keys()].sort();
}

/** A bridge that is up. */
export function makeBridge(name: string, ...more: readonly string[]): void {
  sh('ip', 'link', 'add', name, ...more, 'type', 'bridge');
  sh('ip', 'link', 'set', name, 'up');
}

/** Removes every interface but `lo`, and every rule. */
export function clearNetwork(): void {
  for (const name of linkNames()) spawnSync('ip', ['link', 'delete', name]);
  sh('nft', 'flush', 'ruleset');
}

/** The tables of the packet filter. */
export function ruleTables(): string[] {
  return sh('nft', 'list', 'tables')
    .split('\n')
    .filter((line) => line !== '');
}

/** Whether a program of that name runs in this network namespace. */
export function isRunningHere(program: string): boolean {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .some((pid) => {
      try {
        const isHere = readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net');
        return isHere && readFileSync(`/proc/${pid}/comm`, 'utf8') === `${program}\n`;
      } catch {
        return false;
      }
    });
}
