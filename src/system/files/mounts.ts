import { readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';

/** A file system, and where it is. */
export interface Mount {
  readonly point: string;
  /** `ext4`, `nfs4`, `autofs`, `fuse.sshfs` … */
  readonly type: string;
}

/** What this process has mounted; nothing if /proc does not list it. */
export function readMounts(): Mount[] {
  try {
    return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    return [];
  }
}

/** The same, of the text of a mountinfo file: proc(5). Pure. */
export function parseMounts(mountInfo: string): Mount[] {
  return mountInfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const point = unescapeOctal(before.split(' ')[4] ?? '');
    return point === '' ? [] : [{ point, type: after.split(' ')[0] ?? '' }];
  });
}

/** The file system that a path without links is on. Of two mounts at one place the later one is seen. Pure. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    const { point } = mount;
    const isAbove = point === '/' || path === point || path.startsWith(`${point}/`);
    if (isAbove && point.length >= (found?.point.length ?? 0)) found = mount;
  }
  return found;
}

/** Blanks and backslashes are written by their numbers there. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Those of other hosts, and of programs, which need not answer: fstype_is_network() of systemd, and QEMU's own. */
const REMOTE_TYPES: ReadonlySet<string> = new Set(
  'afs ceph cifs smb3 smbfs sshfs ncpfs ncp nfs nfs4 gfs gfs2 glusterfs pvfs2 ocfs2 lustre davfs 9p fuse autofs'.split(
    ' ',
  ),
);

/** Where a path leads, if this host alone can determine it. */
export interface LocalPath {
  /** Without links; what lies beyond this host is as it was written. */
  readonly path: string;
  /** Using it waits for no other host, for no program that serves files, and for nothing to be mounted. */
  readonly isLocal: boolean;
}

/** Follows the links of an absolute path step by step, and stops where another host would have to be asked. */
export function followLocally(path: string, mounts: readonly Mount[] = readMounts()): LocalPath {
  let rest = namesIn(path);
  let done = '';
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '.') continue;
    if (name === '..') {
      done = done === '' ? '' : dirname(done).replace(/^\/$/, '');
      continue;
    }
    const next = `${done}/${name}`;
    if (isRemote(mounts, next)) return { path: [next, ...rest].join('/'), isLocal: false };
    const target = linkAt(next);
    links += target === undefined ? 0 : 1;
    if (target === undefined || links > MOST_LINKS) {
      done = next;
      continue;
    }
    if (target.startsWith('/')) done = '';
    rest = [...namesIn(target), ...rest];
  }
  return { path: done === '' ? '/' : done, isLocal: true };
}

/** As many as the kernel follows: path_resolution(7). */
const MOST_LINKS = 40;

/** A host whose own root is on another one has nothing that is not. */
function isRemote(mounts: readonly Mount[], path: string): boolean {
  const mount = mountOf(mounts, path);
  return mount !== undefined && mount.point !== '/' && (REMOTE_TYPES.has(mount.type) || mount.type.startsWith('fuse.'));
}

function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
