import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { fileError } from '../../system/files/file-error.ts';
import { ensureDir, namesIn } from '../../system/files/files.ts';
import { removeWhole } from '../../system/files/remove-tree.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { User } from '../../system/users.ts';
import { giveName, makeTargetFile } from '../disks/target-file.ts';
import type { Work } from '../work/do-work.ts';
import type { CopiedDisk } from './copied-disks.ts';

/** A disk that comes along with its guest, and the new image for it. */
export interface ArrivingDisk extends CopiedDisk {
  /** Absolute. */
  readonly file: string;
}

const CREATE_MS = 30_000;
const SCRATCH = '.image-';

/** Where a QEMU takes in disks: only its own user may pass through the folder. */
export function disksSocket({ qemuDir }: Pick<MachinePaths, 'qemuDir'>): string {
  return join(qemuDir, 'disks.sock');
}

/**
 * Makes empty images, each under a name that starts with a dot, which it loses when it is whole as an image. They belong
 * to the work: when that is undone they go.
 *
 * @param owner the user that QEMU runs as; undefined: the caller.
 * @throws {QemuError} `QEMU_IO` when there is something of that name, or no room; `QEMU_NOT_PERMITTED`,
 * `QEMU_COMMAND_FAILED`.
 */
export async function makeImages(
  disks: readonly ArrivingDisk[],
  stateDir: string,
  owner: Pick<User, 'uid' | 'gid'> | undefined,
  work: Work,
): Promise<void> {
  for (const { file, format, sizeBytes } of disks) {
    const part = join(dirname(file), `.${basename(file)}.part`);
    const header = format === 'raw' ? undefined : await emptyImage(format, sizeBytes, stateDir);
    const before = work.record.partFiles;
    ensureDir(dirname(file), 0o755);
    // Another one's of that name stays.
    const { id } = makeTargetFile(part, owner, format === 'raw' ? sizeBytes : 0);
    work.note({ partFiles: [...before, { path: part, id }, { path: file, id }] });
    if (header !== undefined) fill(part, id, header);
    await giveName(part, file);
  }
}

/** The header and the tables of an image without any contents. */
async function emptyImage(format: string, sizeBytes: number, stateDir: string): Promise<Buffer> {
  ensureDir(stateDir, 0o700);
  for (const name of namesIn(stateDir)) if (name.startsWith(SCRATCH)) removeWhole(join(stateDir, name));
  const scratch = mkdtempSync(join(stateDir, SCRATCH));
  try {
    const file = join(scratch, 'image');
    const call = ['create', '-q', '-f', format, '--', file, String(sizeBytes)];
    const { exitCode, stderr } = await runQemuImg(call, { prefix: [], timeoutMs: CREATE_MS });
    if (exitCode !== 0) throw new QemuError('QEMU_COMMAND_FAILED', `qemu-img cannot make an image: ${stderr.trim()}`);
    return readFileSync(file);
  } finally {
    removeWhole(scratch);
  }
}

/** The folder may be one where the user of QEMU can exchange what is in it. */
function fill(path: string, id: string | undefined, bytes: Buffer): void {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { dev, ino } = fstatSync(file, { bigint: true });
    if (id !== `${dev}:${ino}`) throw new QemuError('QEMU_IO', `"${path}" is no longer the file that was made`);
    writeFileSync(file, bytes);
    fsyncSync(file);
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('write', path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Has a QEMU whose guest is to arrive take in the contents of its disks. */
export async function serveDisks(
  client: QmpClient,
  files: Pick<MachinePaths, 'qemuDir'>,
  disks: readonly CopiedDisk[],
  options: ExecuteOptions,
): Promise<void> {
  const addr = { type: 'unix', data: { path: disksSocket(files) } };
  await client.executeRaw('nbd-server-start', { addr, 'max-connections': disks.length }, options);
  for (const { key } of disks) {
    const name = key.toLowerCase();
    const server = { type: 'nbd', id: `${name}-export`, 'node-name': `${name}-fmt`, name, writable: true };
    await client.executeRaw('block-export-add', server, options);
  }
}

/** Ends that: with the export open the guest must not run. What was written is at the disks then. */
export async function endServing(client: QmpClient, options: ExecuteOptions): Promise<void> {
  await client.executeRaw('nbd-server-stop', undefined, options);
}
