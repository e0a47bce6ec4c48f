import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isNotFound } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import { ensureDir } from '../../system/files/files.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { letPass } from '../../system/secrets.ts';

/** Who a folder is to belong to. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** swtpm keeps less than 64 KiB. */
const MOST_BYTES = 1024 * 1024;

/** What swtpm keeps for later: not its lock, and not a file that it has not written to its end. */
const KEPT = /^tpm2-\d\d\.[a-z]+$/;

/**
 * Makes the folder for the contents of a machine's TPM, of the user that QEMU is to run as.
 *
 * @param user undefined: the caller.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function ensureTpmFolder(files: MachinePaths, user: Owner | undefined): void {
  ensureDir(files.stateDir, 0o700);
  if (user) letPass(files.stateDir, user.gid);
  ensureDir(files.tpmDir, 0o700);
  giveTpmFolder(files, user ?? { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 });
}

/**
 * Gives the folder and what is in it to another user; it may be missing. Only root can. The user that had it may be a
 * captured QEMU's: it loses the folder first, and what no TPM puts there is removed, since swtpm would follow a link.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function giveTpmFolder({ tpmDir }: MachinePaths, { uid, gid }: Owner): void {
  if (process.geteuid?.() !== 0) return;
  inFolder(tpmDir, (folder, held) => {
    const paths = readdirSync(held).map((name) => join(held, name));
    const owners = [fstatSync(folder), ...paths.map((path) => lstatSync(path))].map((stats) => stats.uid);
    if (owners.every((owner) => owner === uid)) return;
    fchownSync(folder, 0, 0);
    fchmodSync(folder, 0o700);
    for (const path of readdirSync(held).map((name) => join(held, name))) {
      const stats = lstatSync(path);
      if (!stats.isFile() || stats.nlink !== 1) removeTree(path);
      else {
        lchownSync(path, uid, gid);
        chmodSync(path, 0o600);
      }
    }
    fchownSync(folder, uid, gid);
  });
}

/**
 * The contents of a machine's TPM, by the names of their files; empty when it has none. swtpm exchanges its files as a
 * whole, so that it may run meanwhile.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`, also for what swtpm never writes there.
 */
export function readTpm({ tpmDir }: MachinePaths): ReadonlyMap<string, Buffer> {
  const contents = inFolder(tpmDir, (_, held) => {
    const names = readdirSync(held).filter((name) => KEPT.test(name));
    return names.map((name) => [name, readKept(held, name)] as const);
  });
  return new Map(contents);
}

/**
 * Gives the TPM of a machine that does not run other contents. Each file is exchanged as a whole; the folder keeps its
 * owner.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function replaceTpm({ stateDir, tpmDir }: MachinePaths, contents: ReadonlyMap<string, Buffer>): void {
  ensureDir(stateDir, 0o700);
  ensureDir(tpmDir, 0o700);
  inFolder(tpmDir, (folder, held) => {
    const owner = fstatSync(folder);
    for (const [name, bytes] of contents) if (KEPT.test(name)) writeKept(held, name, bytes, owner);
    for (const name of readdirSync(held)) if (KEPT.test(name) && !contents.has(name)) unlinkSync(join(held, name));
    fsyncSync(folder);
  });
}

function writeKept(held: string, name: string, bytes: Buffer, { uid, gid }: Owner): void {
  const part = join(held, '.new.part');
  removeTree(part);
  const fd = openSync(part, 'wx', 0o600);
  try {
    writeFileSync(fd, bytes);
    if (process.geteuid?.() === 0) fchownSync(fd, uid, gid);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(part, join(held, name));
}

function readKept(held: string, name: string): Buffer {
  const fd = openSync(join(held, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > MOST_BYTES) throw new Error(`"${name}" is not a file that a TPM makes`);
    const bytes = Buffer.alloc(stats.size);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}

/** Undefined when it is missing. It is in a folder of root's: its user can exchange what is in it, but not itself. */
function inFolder<T>(path: string, work: (fd: number, held: string) => T): T | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    return work(fd, `/proc/self/fd/${fd}`);
  } catch (error) {
    if (fd === undefined && isNotFound(error)) return undefined;
    throw fileError('use folder', path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
