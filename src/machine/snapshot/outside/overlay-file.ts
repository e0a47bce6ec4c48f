import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import { fileError } from '../../../system/files/file-error.ts';
import { ensureDir, namesIn } from '../../../system/files/files.ts';
import { hiddenSibling, leftoversOf } from '../../../system/files/hidden-sibling.ts';
import { removeWhole } from '../../../system/files/remove-tree.ts';
import { withImage } from '../../../system/images/image.ts';
import { runQemuImg } from '../../../system/images/qemu-img.ts';
import { removeParts } from '../../work/part-files.ts';
import type { PartFile } from '../../work/work-record.ts';

/** An overlay that is to be made. */
export interface OverlayPlan {
  /** Absolute; in the folder of its base. */
  readonly path: string;
  /** Absolute. */
  readonly base: string;
  readonly baseFormat: string;
  /** Bytes that the guest sees. */
  readonly sizeBytes: number;
}

const CREATE_MS = 30_000;

/**
 * Makes an empty overlay, with owner and mode of its base, which it names by a relative path. QEMU could not: its user need
 * not be able to write to the folder. The folder may be one where that user can put links, so nothing is followed there.
 *
 * @param stateDir a folder of the caller's own, where the image is put together.
 * @param aboutToExist called when it is known which file it will be, before it has its name.
 * @throws {QemuError} `QEMU_IO` when there is something of that name, or no room; `QEMU_NOT_PERMITTED`.
 */
export async function makeOverlay(
  plan: OverlayPlan,
  stateDir: string,
  aboutToExist: (file: PartFile) => void,
): Promise<void> {
  const bytes = await overlayBytes(plan, stateDir);
  const folder = openSync(dirname(plan.path), constants.O_RDONLY | constants.O_DIRECTORY);
  const within = (path: string): string => `/proc/self/fd/${folder}/${basename(path)}`;
  const part = within(hiddenSibling(plan.path, PART));
  try {
    const owner = withImage(plan.base, (_file, stats) => stats);
    requireIn(within(plan.base), owner, plan);
    const id = writeNew(part, bytes, owner);
    aboutToExist({ path: plan.path, id });
    // Unlike a rename, it replaces nothing.
    linkSync(part, within(plan.path));
    fsyncSync(folder);
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('make', plan.path, error);
  } finally {
    removeQuietly(part);
    closeSync(folder);
  }
}

/** Removes what an interrupted {@link makeOverlay} has left besides the overlay. @throws {QemuError} `QEMU_IO`. */
export function removeOverlayLeftovers(paths: readonly string[], stateDir: string): void {
  for (const path of paths) removeParts(leftoversOf(path, PART).map((name) => ({ path: join(dirname(path), name) })));
  for (const name of namesIn(stateDir)) if (name.startsWith(SCRATCH)) removeWhole(join(stateDir, name));
}

const PART = 'part';
const SCRATCH = '.overlay-';

/** The header names the base and its format, and QEMU opens neither for it. */
async function overlayBytes({ base, baseFormat, sizeBytes }: OverlayPlan, stateDir: string): Promise<Buffer> {
  ensureDir(stateDir, 0o700);
  const scratch = mkdtempSync(join(stateDir, SCRATCH));
  try {
    const file = join(scratch, 'overlay');
    const call = [
      'create',
      '-q',
      '-f',
      'qcow2',
      '-u',
      '-b',
      backingName(base),
      '-F',
      baseFormat,
      '--',
      file,
      String(sizeBytes),
    ];
    const { exitCode, stderr } = await runQemuImg(call, { prefix: [], timeoutMs: CREATE_MS });
    if (exitCode !== 0) throw new QemuError('QEMU_COMMAND_FAILED', `qemu-img cannot make an overlay: ${stderr.trim()}`);
    return readFileSync(file);
  } finally {
    removeWhole(scratch);
  }
}

/** How an overlay in the same folder names its base. */
export function backingName(base: string): string {
  const name = basename(base);
  // A colon would make it a protocol to QEMU.
  return name.includes(':') ? `./${name}` : name;
}

/** That the folder is the one with the base, whatever its path leads to by now. */
function requireIn(path: string, base: Stats, plan: OverlayPlan): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.ino === base.ino && found.dev === base.dev) return;
  throw new QemuError('QEMU_IO', `"${dirname(plan.path)}" is no longer the folder of "${plan.base}"`);
}

/** Returns which file it is. */
function writeNew(path: string, bytes: Buffer, { uid, gid, mode }: Stats): string {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = openSync(path, flags, 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    if (process.getuid?.() === 0) fchownSync(file, uid, gid);
    fchmodSync(file, (mode & 0o666) | 0o600);
    fsyncSync(file);
    const { dev, ino } = fstatSync(file, { bigint: true });
    return `${dev}:${ino}`;
  } finally {
    closeSync(file);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never made.
  }
}
