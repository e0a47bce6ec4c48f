import { dirname, relative } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import { renderSize } from '../../config/text/values.ts';
import { runAsPrefix } from '../../machine/start/run-as.ts';
import { chainAsJson } from '../../system/images/chain-as-json.ts';
import { readerPrefix } from '../../system/images/image-user.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import type { User } from '../../system/users.ts';
import { isLocked, type SourceImage } from './source-image.ts';

/** How {@link makeDisk} works. */
export interface MakeDiskOptions {
  /** User that the file belongs to, as whom qemu-img runs; undefined: the caller. */
  readonly user: User | undefined;
  /** What the work is called, such as `copying DSK1`. */
  readonly phase: string;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A new qcow2 image. */
export interface NewDisk {
  /** Bytes that the guest sees; at least those of the source. */
  readonly sizeBytes: number;
  /** What is in it; undefined: nothing. */
  readonly source?: SourceImage | undefined;
  /** It is an overlay of the source instead of a copy. */
  readonly isLinked?: boolean | undefined;
}

/** Creating an image takes milliseconds, though longer on some network file systems. */
const CREATE_MS = 60_000;
/** For terabytes on slow disks; the signal ends it at any time. */
const COPY_MS = 7 * 24 * 3_600_000;

/**
 * Fills a new file, by running qemu-img as the user of the machine: its QEMU could not use an image of root.
 *
 * @param file a file that exists, is empty and belongs to the user.
 * @param final the name that it is going to have: an overlay names its base from there.
 * @throws {QemuError} `QEMU_COMMAND_FAILED`, `QEMU_NOT_INSTALLED`, `QEMU_ABORTED`.
 */
export async function makeDisk(file: string, final: string, disk: NewDisk, options: MakeDiskOptions): Promise<void> {
  const { sizeBytes, source, isLinked } = disk;
  if (source !== undefined && !isLinked) {
    await copyDisk(file, source, options);
    if (sizeBytes > source.virtualSizeBytes) {
      await runAs(['resize', '-q', '-f', 'qcow2', file, String(sizeBytes)], options, sizeBytes);
    }
    return;
  }
  // With the size known there is no need to open the base (-u).
  const base = source === undefined ? [] : ['-u', '-b', nameOfBase(source.path, final), '-F', source.format];
  await runAs(['create', '-q', '-f', 'qcow2', ...base, file, String(sizeBytes)], options, sizeBytes);
}

/** In the same folder without the folder, so that the folder can be moved. */
function nameOfBase(base: string, overlay: string): string {
  return dirname(base) === dirname(overlay) ? relative(dirname(overlay), base) : base;
}

async function copyDisk(file: string, source: SourceImage, options: MakeDiskOptions): Promise<void> {
  const { path, format, virtualSizeBytes: total, chain } = source;
  const { phase, onProgress } = options;
  const of = source.snapshot === undefined ? [] : ['-l', `snapshot.name=${source.snapshot}`];
  const from = chain ? [chainAsJson(chain)] : ['-f', format, path];
  const call = ['convert', '-p', ...of, '-O', 'qcow2', ...from, file];
  const onPercent = onProgress && ((percent: number) => onProgress({ phase, done: (percent / 100) * total, total }));
  await runAs(call, options, total, { timeoutMs: COPY_MS, onPercent });
}

async function runAs(
  call: readonly string[],
  { user, signal }: MakeDiskOptions,
  bytes: number,
  how: { readonly timeoutMs: number; readonly onPercent?: ((percent: number) => void) | undefined } = {
    timeoutMs: CREATE_MS,
  },
): Promise<void> {
  const options = { ...how, signal };
  let result = await runQemuImg(call, { ...options, prefix: runAsPrefix(user) });
  // A folder above, or the source, may be closed to that user.
  if (user && result.exitCode !== 0) result = await runQemuImg(call, { ...options, prefix: readerPrefix(user) });
  if (result.exitCode === 0) return;
  const [reason = ''] = result.stderr.trim().split('\n');
  const hint = isLocked(reason) ? 'stop the machine that uses the image first' : undefined;
  throw new QemuError('QEMU_COMMAND_FAILED', `Cannot create a disk image of ${renderSize(bytes)}: ${reason}`, { hint });
}
