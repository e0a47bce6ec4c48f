import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** A process that has something open. */
export interface Holder {
  readonly pid: number;
  /** Its name, as it or its user has set it: proc_pid_comm(5). */
  readonly name: string;
}

/**
 * A process that has the file open; undefined when none is seen, for instance because it is another user's. Every
 * process of the host is looked at, which takes some milliseconds: for errors only.
 */
export function holderOfFile(path: string): Holder | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return findHolder((link) => {
      const found = statSync(link, { bigint: true, throwIfNoEntry: false });
      return found?.dev === dev && found.ino === ino;
    });
  } catch {
    // It is missing, or we may not see it.
    return undefined;
  }
}

/**
 * Whether a process has a file open.
 *
 * @param id device and inode of the file as `DEV:INO`.
 * @returns undefined when this user may not see it.
 */
export function hasFileOpen(pid: number, id: string): boolean | undefined {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
    return links.some((link) => {
      const stats = statSync(link, { bigint: true, throwIfNoEntry: false });
      return stats !== undefined && `${stats.dev}:${stats.ino}` === id;
    });
  } catch {
    return undefined;
  }
}

/** A process that listens on a port of this host, on any address; undefined when none is seen. */
export function holderOfPort(protocol: 'tcp' | 'udp', port: number): Holder | undefined {
  const inodes = new Set([protocol, `${protocol}6`].flatMap((table) => socketsAt(table, protocol, port)));
  if (inodes.size === 0) return undefined;
  return findHolder((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1] ?? ''));
}

/**
 * A line of `/proc/net/tcp` (proc_pid_net(5)): number, local address, remote address, state, …, inode as the tenth
 * word.
 */
function socketsAt(table: string, protocol: 'tcp' | 'udp', port: number): string[] {
  const LISTENING = '0A';
  return readOrEmpty(`/proc/net/${table}`)
    .split('\n')
    .flatMap((line) => {
      const words = line.trim().split(/\s+/);
      const at = Number.parseInt(words[1]?.split(':')[1] ?? '', 16);
      const isOpen = at === port && (protocol === 'udp' || words[3] === LISTENING);
      return isOpen && words[9] !== undefined ? [words[9]] : [];
    });
}

function findHolder(isMeant: (link: string) => boolean): Holder | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid || !hasOpen(pid, isMeant)) continue;
    return { pid: Number(pid), name: readOrEmpty(`/proc/${pid}/comm`).trim() };
  }
  return undefined;
}

function hasOpen(pid: string, isMeant: (link: string) => boolean): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return isMeant(`/proc/${pid}/fd/${fd}`);
      } catch {
        // It was closed meanwhile.
        return false;
      }
    });
  } catch {
    // It has ended, or is another user's.
    return false;
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
