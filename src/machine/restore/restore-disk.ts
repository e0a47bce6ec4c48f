import { closeSync, fchmodSync, fchownSync, fstatSync, fsyncSync, openSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import { inFolderOf } from '../../system/files/held-folder.ts';
import { chainAsJson } from '../../system/images/chain-as-json.ts';
import { readImageInfo } from '../../system/images/image.ts';
import { type ImageUser, lendFile, newImageUser, readerPrefix } from '../../system/images/image-user.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import { asQcow2 } from '../backup/chain.ts';
import { demandUnchanged, type ReadOptions, type SourceFile } from './source-file.ts';

/** Who a restored file belongs to, and its permission bits. */
export interface FileOwner extends ImageUser {
  readonly mode: number;
}

/** An image that is to be made of a chain of a backup. */
export interface DiskCopy {
  /** The chain, its top first. */
  readonly files: readonly SourceFile[];
  /** Path of the new image, where nothing is yet. */
  readonly part: string;
  readonly format: string;
  readonly virtualSizeBytes: number;
  /** Undefined: the caller. */
  readonly owner: FileOwner | undefined;
}

/** Weeks: a large image on a slow disk takes hours. */
const LONGEST_MS = 14 * 24 * 3600 * 1000;

/**
 * Makes an image, whole and flushed to the disk, of files that are as their manifests say.
 *
 * @throws {QemuError} `QEMU_IO` also when a file has changed since the backup, `QEMU_NOT_PERMITTED`, `QEMU_COMMAND_FAILED`
 * such as for lack of room, `QEMU_NOT_INSTALLED`, `QEMU_ABORTED`. The file may be there then.
 */
export async function restoreDisk(copy: DiskCopy, { signal, onPercent }: ReadOptions): Promise<void> {
  const failure = new AbortController();
  const either = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  const percents = [0, 0];
  const optionsOf = (index: number): ReadOptions => ({
    signal: either,
    onPercent: (percent) => {
      percents[index] = percent;
      onPercent(Math.min(...percents));
    },
  });
  let first: { readonly error: unknown } | undefined;
  const ended = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      first ??= { error };
      failure.abort();
    }
  };
  // What is read for one is in the page cache for the other.
  await Promise.all([ended(demandUnchanged(copy.files, optionsOf(0))), ended(convert(copy, optionsOf(1)))]);
  if (first) throw first.error;
}

/** qemu-img reads what a guest has written, so it runs as a user that can write to this file only. */
async function convert(copy: DiskCopy, { signal, onPercent }: ReadOptions): Promise<void> {
  const { files, part, format, owner } = copy;
  const fd = make(part);
  try {
    const own = fstatSync(fd);
    const user = owner !== undefined && owner.uid !== 0 ? owner : newImageUser();
    const isLent = user !== undefined && process.geteuid?.() === 0 && lendFile(part, user);
    const call = ['convert', '-p', '-O', format, chainAsJson(asQcow2(files.map(({ path }) => path))), part];
    const prefix = isLent ? readerPrefix(user) : [];
    const { exitCode, stderr } = await runQemuImg(call, { prefix, timeoutMs: LONGEST_MS, signal, onPercent });
    if (exitCode !== 0) throw failed(copy, stderr);
    const { uid, gid, mode } = owner ?? own;
    if (process.geteuid?.() === 0) fchownSync(fd, uid, gid);
    fchmodSync(fd, mode & 0o777);
    fsyncSync(fd);
    demandRight(copy);
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('write', part, error);
  } finally {
    closeSync(fd);
  }
}

function make(path: string): number {
  try {
    return inFolderOf(path, (held) => openSync(held, 'wx', 0o600));
  } catch (error) {
    throw fileError('make', path, error);
  }
}

/** A program that says that all went well has not, when what it made is another disk. */
function demandRight({ part, format, virtualSizeBytes }: DiskCopy): void {
  // A raw disk may look like anything.
  if (format !== 'qcow2') return;
  const found = readImageInfo(part);
  if (found.format === format && found.virtualSizeBytes === virtualSizeBytes) return;
  throw new QemuError('QEMU_IO', `"${part}" has not become a disk of ${virtualSizeBytes} bytes`);
}

function failed({ files, part }: DiskCopy, stderr: string): QemuError {
  const [reason = 'qemu-img failed'] = stderr.trim().split('\n').slice(-1);
  return new QemuError('QEMU_COMMAND_FAILED', `Cannot restore "${files[0]?.path}" to "${part}": ${reason}`, {
    hint: /No space left/.test(reason)
      ? 'free some space there, or restore to another folder with --output'
      : 'see: qemu-init backup verify DEST',
  });
}
