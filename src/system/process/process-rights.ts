import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** What the kernel lets a process do: proc_pid_status(5). */
export interface ProcessRights {
  readonly uid: number;
  readonly gid: number;
  /** Further groups. */
  readonly groups: readonly number[];
  /** Effective capabilities, as names of capabilities(7) without the `CAP_`. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'off' | 'strict' | 'filter';
  /** Namespaces that are not those of process 1, or of this process where that cannot be looked at: namespaces(7). */
  readonly namespaces: readonly string[];
  /** What of the host is closed to it by its mounts. Empty when its files may not be looked at. */
  readonly closed: readonly Closed[];
}

/**
 * `system`: all but its own files is read-only; `homes`, `temporary`: it sees other folders there; `processes`: those
 * of other users.
 */
export type Closed = 'system' | 'homes' | 'temporary' | 'processes';

/** A TCP socket that listens. */
export interface ListeningSocket {
  readonly address: string;
  readonly port: number;
}

/** The rights of a process; undefined when it is gone. */
export function readRights(pid: number | 'self'): ProcessRights | undefined {
  let status: ReadonlyMap<string, string>;
  try {
    status = fieldsOf(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return undefined;
  }
  const field = (name: string): string => status.get(name) ?? '';
  const modes = ['off', 'strict', 'filter'] as const;
  return {
    uid: Number(field('Uid').split('\t')[1]),
    gid: Number(field('Gid').split('\t')[1]),
    groups: field('Groups')
      .split(' ')
      .flatMap((gid) => (gid === '' ? [] : [Number(gid)])),
    capabilities: capabilityNames(BigInt(`0x${field('CapEff') || '0'}`)),
    noNewPrivileges: field('NoNewPrivs') === '1',
    seccomp: modes[Number(field('Seccomp'))] ?? 'off',
    namespaces: ownNamespaces(pid),
    closed: closedTo(pid),
  };
}

/** Whether this process has a capability, by its name of capabilities(7) without the `CAP_`. */
export function hasCapability(name: string): boolean {
  return readRights('self')?.capabilities.includes(name) === true;
}

/** The TCP ports that a process listens on. Empty when its files may not be looked at. */
export function listeningSockets(pid: number): ListeningSocket[] {
  const inodes = new Set(linksIn(`/proc/${pid}/fd`).flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
  return ['tcp', 'tcp6'].flatMap((table) =>
    linesOf(`/proc/${pid}/net/${table}`).flatMap((line): ListeningSocket[] => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (state !== TCP_LISTEN || !inodes.has(inode)) return [];
      const [address = '', port = ''] = local.split(':');
      return [{ address: addressOf(address), port: Number.parseInt(port, 16) }];
    }),
  );
}

/** State of a listening socket in /proc/net/tcp, hexadecimal. */
const TCP_LISTEN = '0A';

function fieldsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

function ownNamespaces(pid: number | 'self'): string[] {
  const its = namespacesOf(pid);
  // Process 1 can be looked at by root only, and in some containers by nobody.
  const ours = namespacesOf(1) ?? namespacesOf('self');
  return [...(its ?? [])].flatMap(([name, id]) => (ours?.get(name) === id ? [] : [name]));
}

/** Undefined when they may not be looked at. */
function namespacesOf(pid: number | 'self'): ReadonlyMap<string, string> | undefined {
  try {
    const names = readdirSync(`/proc/${pid}/ns`).filter((name) => !name.endsWith('_for_children'));
    return new Map(names.map((name) => [name, readlinkSync(`/proc/${pid}/ns/${name}`)]));
  } catch {
    return undefined;
  }
}

/** mountinfo of proc_pid_mountinfo(5), and what a path leads to in the process's own root folder. */
function closedTo(pid: number | 'self'): Closed[] {
  const mounts = allLinesOf(`/proc/${pid}/mountinfo`).map((line) => line.split(' '));
  const optionsOf = (path: string): string =>
    mounts
      .filter(([, , , , place]) => place === path)
      .map(([, , , , , options, ...rest]) => `${options} ${rest.at(-1)}`)
      .at(-1) ?? '';
  const differs = (path: string): boolean => {
    const [own, its] = [identity(path), identity(`/proc/${pid}/root${path}`)];
    return own !== undefined && its !== undefined && own !== its;
  };
  const closed: Closed[] = [];
  if (/^ro\b/.test(optionsOf('/'))) closed.push('system');
  if (differs('/home') && differs('/root')) closed.push('homes');
  if (differs('/tmp')) closed.push('temporary');
  if (/\bhidepid=(?:invisible|2|ptraceable|4)\b/.test(optionsOf('/proc'))) closed.push('processes');
  return closed;
}

function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function linksIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => readlinkSync(`${folder}/${name}`));
  } catch {
    return [];
  }
}

/** A table without the line of its headings. */
function linesOf(path: string): string[] {
  return allLinesOf(path).slice(1);
}

function allLinesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** Words of 32 bits in the byte order of the host, which is little-endian wherever KVM is used. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.slice(2 * index, 2 * index + 2).join(''));
  const text = groups.join(':').toLowerCase();
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

function capabilityNames(mask: bigint): string[] {
  return CAPABILITIES.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
}

/** In the order of their numbers: linux/capability.h. */
const CAPABILITIES = (
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service ' +
  'net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin ' +
  'sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override ' +
  'mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'
).split(' ');
