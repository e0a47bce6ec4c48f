import { chownSync, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { isNotFound, QemuError } from '../../base/errors.ts';
import { asArray, asRecord } from '../../base/guards.ts';
import { fileError } from '../../system/files/file-error.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { removeWithLeftovers, writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { User } from '../../system/users.ts';

/** A character device of the host that QEMU opens. */
export interface HostNode {
  /** Key of the cfg file. */
  readonly key: string;
  readonly path: string;
  /** Major and minor number, `189:3`. */
  readonly deviceNumber: string;
}

/** A node that belongs to QEMU's user for a moment, and whose it was. */
interface Lent extends Omit<HostNode, 'key'> {
  readonly uid: number;
  readonly owner: number;
}

/**
 * Does what lets QEMU open nodes of the host that are root's: they belong to QEMU's user for that long. QEMU keeps what it
 * has open. A command that was killed meanwhile is made up for by the next one ({@link giveBack}).
 *
 * @param user undefined: QEMU runs as the caller, who has the rights that it has.
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED` when a node is not there, or is not that of the device.
 */
export async function whileLent<T>(
  files: Pick<MachinePaths, 'lent'>,
  user: Pick<User, 'uid'> | undefined,
  nodes: readonly HostNode[],
  body: () => Promise<T>,
): Promise<T> {
  if (user === undefined || nodes.length === 0) return body();
  giveBack(files);
  const lent: Lent[] = [];
  try {
    for (const { path, deviceNumber } of nodes) {
      withNode(path, deviceNumber, (link, owner) => {
        if (owner === user.uid) return;
        lent.push({ path, deviceNumber, uid: user.uid, owner });
        writeFileAtomic(files.lent, JSON.stringify(lent), 0o600);
        chownSync(link, user.uid, -1);
      });
    }
    return await body();
  } finally {
    giveBack(files);
  }
}

/** Gives nodes back that a command has lent, unless they have been given to somebody else since. Safe to repeat. */
export function giveBack(files: Pick<MachinePaths, 'lent'>): void {
  for (const { path, deviceNumber, uid, owner } of readLent(files)) {
    try {
      withNode(path, deviceNumber, (link, now) => {
        if (now === uid) chownSync(link, owner, -1);
      });
    } catch (error) {
      // It was unplugged: the kernel has removed its node, or made another one there.
      if (!(error instanceof QemuError)) throw error;
    }
  }
  removeWithLeftovers(files.lent);
}

function readLent({ lent }: Pick<MachinePaths, 'lent'>): Lent[] {
  const text = readTextIfExists(lent);
  if (text === undefined) return [];
  try {
    return asArray(JSON.parse(text))
      .map(asRecord)
      .flatMap(({ path, deviceNumber, uid, owner }) => {
        const isWhole = typeof path === 'string' && typeof deviceNumber === 'string';
        return isWhole && typeof uid === 'number' && typeof owner === 'number'
          ? [{ path, deviceNumber, uid, owner }]
          : [];
      });
  } catch {
    // Cut in half, so nothing was lent yet.
    return [];
  }
}

/** O_PATH of open(2), which Node.js does not name: the device itself is not opened, and its driver sees nothing. */
const O_PATH = 0o10000000;

/** Passes the link to an open descriptor of a node, which is what it is meant to be, and its owner. */
function withNode(path: string, deviceNumber: string, use: (link: string, owner: number) => void): void {
  let fd: number;
  try {
    fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (isNotFound(error)) throw new QemuError('QEMU_IO', `"${path}" is gone: its device was unplugged`);
    throw fileError('open', path, error);
  }
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isCharacterDevice() || numberOf(stats.rdev) !== deviceNumber) {
      throw new QemuError('QEMU_NOT_PERMITTED', `"${path}" is not the device ${deviceNumber}`, {
        hint: 'the kernel makes these nodes; see: ls -l',
      });
    }
    use(`/proc/self/fd/${fd}`, Number(stats.uid));
  } finally {
    closeSync(fd);
  }
}

/** As gnu_dev_major(3) and gnu_dev_minor(3) take a number apart. */
export function numberOf(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
