import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QemuError } from '../base/errors.ts';
import type { ExecuteOptions } from '../qmp/command.ts';
import { removeWhole } from '../system/files/remove-tree.ts';
import type { Monitor } from './monitor.ts';

/** How to take a picture. */
export interface ScreenDumpOptions extends ExecuteOptions {
  /** Default: `png`, which needs QEMU 7.1. */
  readonly format?: 'png' | 'ppm' | undefined;
}

/** Makes QEMU write its screen into a file of ours, and reads that. See {@link Domain.screenDump}. */
export async function screenDump(
  monitor: Monitor,
  { format = 'png', ...options }: ScreenDumpOptions,
  scratchDir = tmpdir(),
): Promise<Buffer> {
  // QEMU writes the file itself, as its user and from its folder: the path has to be absolute and in a folder of our
  // own.
  const folder = await makeFolder(scratchDir);
  const filename = join(folder, `${randomUUID()}.${format}`);
  try {
    await offer(filename);
    await monitor.run('screendump', { filename, format }, options);
    return await readFile(filename);
  } finally {
    removeWhole(folder);
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
