import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { quote } from '../../base/text.ts';
import type { MachineConfig } from '../../config/types.ts';
import { fileError } from '../../system/files/file-error.ts';
import { namesIn, removeIfExists } from '../../system/files/files.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { openTrusted, trustPath } from '../../system/trust/trusted-path.ts';
import { type FatFile, fatImage, fatNameProblem } from './fat12.ts';

/** What a seed depends on, in addition to the files in its folder. */
export type SeedConfig = Pick<MachineConfig, 'cloudInit' | 'name' | 'uuid'>;

/** Most bytes of all files together. */
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_FILES = 64;

/** By this name cloud-init recognises the volume: its documentation, "NoCloud". */
const LABEL = 'CIDATA';

/** Files that cloud-init wants to see, and what is in them if the folder has none. */
function defaults({ name, uuid }: SeedConfig): FatFile[] {
  const metaData = `instance-id: ${uuid}\nlocal-hostname: ${name}\n`;
  return [
    { name: 'meta-data', data: Buffer.from(metaData) },
    { name: 'user-data', data: Buffer.from('#cloud-config\n') },
  ];
}

/**
 * The files of a machine's seed: those in the folder of CLOUDINIT, by name, and `meta-data` and `user-data` in any
 * case. Hidden files, backups of editors and folders are left out. Nothing is read that others may change, since the
 * guest gets to see it.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when others may change it, `QEMU_IO` when it cannot be read,
 * `QEMU_CONFIG_INVALID` when it does not fit into a seed.
 */
export function seedFiles(config: SeedConfig): FatFile[] {
  const folder = config.cloudInit;
  if (folder === undefined) return [];
  checkFolder(folder);
  const names = namesIn(folder).filter((name) => !/^\.|~$/.test(name));
  let room = MOST_BYTES;
  const found = names.flatMap((name): FatFile[] => {
    const data = readFile(join(folder, name), room);
    if (data === undefined) return [];
    const problem = fatNameProblem(name);
    if (problem !== undefined) throw unfit(folder, `the name ${quote(name)} ${problem}`);
    room -= data.length;
    if (room < 0) throw tooLarge(folder);
    return [{ name, data }];
  });
  if (found.length > MOST_FILES) throw unfit(folder, `it has more than ${MOST_FILES} files`);
  const files = [...found, ...defaults(config).filter(({ name }) => !found.some((file) => file.name === name))];
  const folded = files.map(({ name }) => name.toUpperCase());
  const twin = files.find(({ name }, at) => folded.indexOf(name.toUpperCase()) !== at);
  if (twin !== undefined) throw unfit(folder, `${quote(twin.name)} differs from another file only in case`);
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The seed of a machine with CLOUDINIT: the same files make the same bytes.
 *
 * @throws {QemuError} as {@link seedFiles}.
 */
export function seedImage(config: SeedConfig): Buffer {
  const id = Number.parseInt(config.uuid.slice(0, 8), 16);
  try {
    return fatImage({ label: LABEL, id, files: seedFiles(config) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw unfit(config.cloudInit ?? '', `its files ${error.message}`);
  }
}

/**
 * Writes the seed for the QEMU that is about to start. Only the caller's user can use it.
 *
 * @throws {QemuError} as {@link seedFiles}.
 */
export function writeSeed(config: SeedConfig, { seed }: MachinePaths): void {
  removeIfExists(seed);
  if (config.cloudInit === undefined) return;
  const image = seedImage(config);
  try {
    const file = openSync(seed, 'wx', 0o600);
    try {
      writeSparse(file, image);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError('write', seed, error);
  }
}

const BLOCK = 4096;

/** Most of it is empty, and the run-time folder is in memory. */
function writeSparse(file: number, image: Buffer): void {
  ftruncateSync(file, image.length);
  for (let at = 0; at < image.length; at += BLOCK) {
    const block = image.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) continue;
    for (let done = 0; done < block.length; ) done += writeSync(file, block, done, block.length - done, at + done);
  }
}

function checkFolder(folder: string): void {
  const { stats } = trustPath(folder);
  if (stats === undefined) throw new QemuError('QEMU_IO', `CLOUDINIT "${folder}" does not exist`);
  if (!stats.isDirectory()) {
    throw new QemuError('QEMU_IO', `CLOUDINIT "${folder}" is not a folder`, {
      hint: 'name the folder that has user-data in it',
    });
  }
}

/** Undefined for what is not a file. */
function readFile(path: string, room: number): Buffer | undefined {
  if (trustPath(path).stats?.isDirectory()) return undefined;
  const file = openTrusted(path);
  if (file === undefined) return undefined;
  try {
    if (fstatSync(file).size > room) throw tooLarge(path);
    return readFileSync(file);
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('read', path, error);
  } finally {
    closeSync(file);
  }
}

function tooLarge(path: string): QemuError {
  return unfit(path, `a seed has room for ${MOST_BYTES / 1024 ** 2} MiB`);
}

function unfit(path: string, why: string): QemuError {
  return new QemuError('QEMU_CONFIG_INVALID', `Cannot make a seed for cloud-init from "${path}": ${why}`);
}
