import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, mkdtemp, open, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { removeWhole } from '../../system/files/remove-tree.ts';
import type { Monitor } from '../monitor.ts';
import { encodePng } from './png.ts';
import { parsePpm } from './ppm.ts';

/** How to take a picture. */
export interface ScreenDumpOptions extends ExecuteOptions {
  /** Default: `png`. */
  readonly format?: 'png' | 'ppm' | undefined;
  /** Number of the head of a graphics card with several, from 0; needs `device`. */
  readonly head?: number | undefined;
  /** Id of the graphics card (default: the first one). */
  readonly device?: string | undefined;
}

/** A picture of a screen. */
export interface Screenshot {
  readonly width: number;
  readonly height: number;
  /** The file. */
  readonly data: Buffer;
}

/** A screen of 8192 × 4320 is smaller. */
const MOST_BYTES = 128 * 1024 * 1024;

/**
 * Makes QEMU write its screen into a file of ours, and reads that. See {@link Domain.screenDump}. QEMU writes PPM, as
 * every version can, and the PNG is made here: what QEMU writes may be anything, if its guest has captured it.
 */
export async function screenDump(
  monitor: Monitor,
  { format = 'png', head, device, ...options }: ScreenDumpOptions,
  scratchDir = tmpdir(),
): Promise<Screenshot> {
  // QEMU writes the file itself, as its user and from its folder: the path has to be absolute and in a folder of our
  // own.
  const folder = await makeFolder(scratchDir);
  const filename = join(folder, `${randomUUID()}.ppm`);
  try {
    await offer(filename);
    await monitor.run('screendump', { filename, device, head }, options);
    const data = await readBounded(filename);
    const { width, height, rgb } = parsePpm(data);
    return { width, height, data: format === 'ppm' ? data : await encodePng({ width, height, rgb }) };
  } finally {
    removeWhole(folder);
  }
}

async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    if (size > MOST_BYTES) throw new QemuError('QEMU_QMP_BAD_REPLY', 'QEMU wrote too large a picture of its screen');
    const data = Buffer.alloc(size);
    const { bytesRead } = await file.read(data, 0, size, 0);
    return data.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function makeFolder(parent: string): Promise<string> {
  try {
    const folder = await mkdtemp(join(parent, 'qemu-init-screen-'));
    if (mayBeAnotherUser()) await chmod(folder, 0o711);
    return folder;
  } catch (cause) {
    throw new QemuError('QEMU_IO', `Cannot make a folder in "${parent}"`, { cause });
  }
}

/**
 * A QEMU that root has started as another user cannot make a file in root's folder: it finds one there that it may
 * write to, under a name that no other user can list.
 */
async function offer(filename: string): Promise<void> {
  await writeFile(filename, '', { mode: 0o600, flag: 'wx' });
  if (mayBeAnotherUser()) await chmod(filename, 0o666);
}

function mayBeAnotherUser(): boolean {
  return process.getuid?.() === 0;
}
