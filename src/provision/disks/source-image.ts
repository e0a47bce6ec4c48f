import { openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { QemuError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import { fileError } from '../../system/files/file-error.ts';
import type { ChainFile } from '../../system/images/chain-as-json.ts';
import { withImage } from '../../system/images/image.ts';
import { readChain } from '../../system/images/image-chain.ts';
import type { ImageFile } from '../../system/images/image-file.ts';
import { newImageUser, readerPrefix } from '../../system/images/image-user.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';

/** An image that a new disk can be made of. */
export interface SourceImage {
  readonly path: string;
  readonly format: string;
  readonly virtualSizeBytes: number;
  /** Of a snapshot in it, in place of what it is now. */
  readonly snapshot?: string | undefined;
  /** What is to be opened for it; undefined: it is complete in itself. */
  readonly chain?: readonly ChainFile[] | undefined;
}

/** How to examine an image. */
export interface ExamineOptions {
  readonly signal?: AbortSignal | undefined;
  /** A CD-ROM is fine, too: its format is `iso`. */
  readonly isIsoFine?: boolean | undefined;
  /** What it is called in messages (default: the path). */
  readonly shownAs?: string | undefined;
}

/** Reading all tables of an image of many terabytes. */
const CHECK_MS = 3_600_000;

/**
 * Looks at an image of which a new disk is to be made. It must be whole and complete in itself: whoever made it could
 * otherwise have named any file of this host for QEMU to show to the guest. Nothing that it names is opened.
 *
 * @throws {QemuError} `QEMU_IO` with what is wrong, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function examineImage(path: string, options: ExamineOptions = {}): Promise<SourceImage> {
  const { shownAs = path } = options;
  const { layers, problems } = readChain(path, { judge: ({ name }) => ({ what: `names another file, "${name}"` }) });
  const [image] = layers;
  const [problem] = problems;
  if (problem?.error) throw problem.error;
  if (problem || layers.length !== 1 || image === undefined) {
    throw unusable(
      shownAs,
      problem?.what ?? 'names other files',
      'an image has to be complete in itself: qemu-img convert makes one of it',
    );
  }
  if (image.detail.encryption !== undefined || image.format === 'luks') throw unusable(shownAs, 'is encrypted');
  const { size, isIso } = withImage(path, (file, stats) => {
    const isRaw = image.format === 'raw' && stats.isFile();
    if (isRaw) refuseOddRaw(shownAs, file);
    // Root would make a disk of any file of this host that a link of another user leads to.
    if (isRaw && !hasSignature(file) && distrustOf(path)) {
      throw unusable(shownAs, 'does not look like a disk, and other users can change it');
    }
    return { size: image.detail.virtualSizeBytes ?? file.sizeBytes, isIso: isRaw && isDisc(file) };
  });
  if (size === 0) throw unusable(shownAs, 'is empty');
  if (isIso && !options.isIsoFine) throw unusable(shownAs, 'is a CD-ROM image', 'to install from it: --iso');
  if (image.format !== 'raw') await checkTables(path, image.format, options);
  return { path, format: isIso ? 'iso' : image.format, virtualSizeBytes: size };
}

/**
 * The damage that qemu-img finds, such as parts that a truncated file no longer has; not every format can be checked.
 * Clusters that nothing refers to do no harm.
 */
async function checkTables(path: string, format: string, { signal, shownAs = path }: ExamineOptions): Promise<void> {
  const { exitCode, stdout, stderr } = await runQemuImg(['check', '-f', format, path], {
    // Its author may have made it to capture what reads it.
    prefix: readerPrefix(newImageUser()),
    timeoutMs: CHECK_MS,
    signal,
  });
  if (exitCode === 0 || exitCode === 3 || exitCode === 63) return;
  const [first = ''] = `${stderr.trim()}\n${stdout.trim()}`.trim().split('\n');
  const reason = first.replace(`Could not open '${path}': `, '').replace(/^qemu-img: |^ERROR:? /, '');
  if (isLocked(stderr)) throw unusable(shownAs, 'is used by a running QEMU', 'stop that machine first');
  throw unusable(shownAs, `is damaged or truncated (${reason})`, 'get it again');
}

/** Whether qemu-img found an image in use: block/file-posix.c of QEMU. */
export function isLocked(stderr: string): boolean {
  return /Failed to get .*lock/.test(stderr);
}

/** What a raw file can be that is not a disk. */
const OTHER_FILES: readonly (readonly [start: string, what: string, hint: string])[] = [
  ['\u{fd}7zXZ\0', 'is compressed by xz', 'unpack it first: xz -dk'],
  ['\u{1f}\u{8b}', 'is compressed by gzip', 'unpack it first: gzip -dk'],
  ['\u{28}\u{b5}\u{2f}\u{fd}', 'is compressed by zstd', 'unpack it first: zstd -dk'],
  ['BZh', 'is compressed by bzip2', 'unpack it first: bzip2 -dk'],
  ['PK\u{3}\u{4}', 'is a zip archive', 'unpack it first: unzip'],
  ['<', 'is a text, perhaps a web page in place of the image', 'check the address'],
];

const ISO_MAGIC_AT = 32_769;
const GPT_HEADER_AT = 512;
const GPT_BACKUP_AT = 32;

function refuseOddRaw(shownAs: string, file: ImageFile): void {
  const head = file.read(0, 8).toString('latin1');
  const other = OTHER_FILES.find(([start]) => head.startsWith(start));
  if (other) throw unusable(shownAs, other[1], other[2]);
  // UEFI Specification, 5.3.2: the other copy of the header is in the last sector.
  const header = file.read(GPT_HEADER_AT, 92);
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return;
  const end = (Number(header.readBigUInt64LE(GPT_BACKUP_AT)) + 1) * 512;
  if (end > file.sizeBytes) {
    throw unusable(
      shownAs,
      `is truncated: its partition table is for ${end} bytes, it has ${file.sizeBytes}`,
      'get it again',
    );
  }
}

/** ECMA-119, 8.1.2: the identifier of a volume descriptor. */
function isDisc(file: ImageFile): boolean {
  return file.read(ISO_MAGIC_AT, 5).toString('latin1') === 'CD001';
}

/** That of a partition table, which disks of PCs and all with a GPT have. */
function hasSignature(file: ImageFile): boolean {
  return file.sizeBytes % 512 === 0 && file.read(510, 2).readUInt16LE(0) === 0xaa55;
}

/**
 * Whether only trusted users can change an image while it is being read. A block device is: what is on it is raw.
 *
 * @throws {QemuError} `QEMU_IO` when it cannot be read.
 */
export function distrustOf(path: string): QemuError | undefined {
  if (withImage(path, (_file, stats) => stats.isBlockDevice())) return undefined;
  try {
    trustPath(path);
    return undefined;
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_NOT_PERMITTED') return error;
    throw error;
  }
}

const CHUNK = 4 * 1024 * 1024;

/**
 * Copies an image that other users could change at any time to where they cannot, byte by byte: what is then looked at
 * is what is used.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_ABORTED`.
 */
export async function copyAside(
  path: string,
  to: string,
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const { from, total } = withImage(path, (file, _stats, descriptor) => {
    // proc(5): another descriptor of the very file that was looked at.
    return { from: openSync(`/proc/self/fd/${descriptor}`, 'r'), total: file.sizeBytes };
  });
  const zeros = Buffer.alloc(CHUNK);
  const { createReadStream } = await import('node:fs');
  // Whoever writes to it meanwhile does not keep this at work for ever.
  const source = createReadStream('', { fd: from, highWaterMark: CHUNK, end: Math.max(total - 1, 0) });
  try {
    const target = await open(to, 'r+');
    try {
      let done = 0;
      for await (const chunk of source) {
        signal?.throwIfAborted();
        if (!Buffer.isBuffer(chunk)) continue;
        // Holes stay holes.
        if (!chunk.equals(zeros.subarray(0, chunk.length))) await target.write(chunk, 0, chunk.length, done);
        done += chunk.length;
        onProgress?.({ phase: 'copying aside', done, total });
      }
      await target.truncate(done);
    } finally {
      await target.close();
    }
  } catch (error) {
    if (signal?.aborted) throw new QemuError('QEMU_ABORTED', 'Interrupted', { cause: error });
    throw fileError('copy', path, error);
  } finally {
    source.destroy();
  }
}

function unusable(path: string, why: string, hint?: string): QemuError {
  return new QemuError('QEMU_IO', `Cannot use the image "${path}": it ${why}`, { hint });
}
