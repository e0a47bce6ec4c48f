import { createHash } from 'node:crypto';
import { chmodSync, constants, copyFileSync, existsSync, linkSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { ensureDir, namesIn, removeIfExists } from '../../system/files/files.ts';
import { hiddenSibling } from '../../system/files/hidden-sibling.ts';
import { type ImageInfo, readImageInfo } from '../../system/images/image.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { findProgram } from '../../system/process/find-program.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import type { FirmwareImage } from './firmware-descriptors.ts';

/** Where a machine has its variables of one firmware. */
export interface VariableStore {
  readonly file: string;
  readonly format: string;
  /** Where they are now, when a start is to give them the name {@link file}. */
  readonly oldFile?: string | undefined;
}

/**
 * The machine's own variables of the firmware whose variables begin as `template`: those of one firmware are of no use
 * to another, so each has its own. New ones are qcow2, where this host has qemu-img(1), so that snapshots can hold
 * them.
 */
export function ownStore(config: MachineConfig, files: MachinePaths, template: FirmwareImage): VariableStore {
  const stem = join(files.stateDir, `vars-${shortHash(template.filename)}`);
  for (const file of [`${stem}.qcow2`, `${stem}.fd`]) if (existsSync(file)) return { file, format: storeFormat(file) };
  const size = sizeOf(template.filename);
  const oldFile = oldName(config.firmware, template.filename, files);
  if (size !== undefined && sizeOf(oldFile) === size)
    return { file: `${stem}.fd`, format: storeFormat(oldFile), oldFile };
  if (findProgram('qemu-img') !== undefined) return { file: `${stem}.qcow2`, format: 'qcow2' };
  return { file: `${stem}.fd`, format: template.format };
}

/** The name that they had when it did not say of which firmware they are, or not of that alone. */
function oldName(firmware: string, template: string, { stateDir }: MachinePaths): string {
  if (firmware === 'uefi-secure') return join(stateDir, 'secure-vars.fd');
  return join(stateDir, firmware.startsWith('/') ? `vars-${shortHash(firmware + template)}.fd` : 'vars.fd');
}

/** The machine's copy of a file that `vars=` names, from when that was only what its variables began with. */
export function oldCopy(firmware: string, variables: string, files: MachinePaths): string | undefined {
  const file = oldName(firmware, variables, files);
  return file !== variables && existsSync(file) ? file : undefined;
}

/** Variables in the machine's state folder that are not those of the firmware which it has now. */
export function otherStores({ stateDir }: MachinePaths, file: string): string[] {
  const names = namesIn(stateDir).filter((name) => /^(?:secure-)?vars(?:-[0-9a-f]{8})?\.(?:fd|qcow2)$/.test(name));
  return names.map((name) => join(stateDir, name)).filter((each) => each !== file);
}

/**
 * The format of variables, found out each time: a guest may write to all of its flash, and so give raw variables the
 * header of an image. That is of no use to it: what leads to another file is refused, and anything else holds nothing
 * but what it wrote itself.
 *
 * @see storeProblem
 */
export function storeFormat(file: string): string {
  const format = infoOf(file)?.format;
  if (format !== undefined) return format === 'qcow2' ? 'qcow2' : 'raw';
  return file.endsWith('.qcow2') ? 'qcow2' : 'raw';
}

/** Why a file cannot be used for variables, as a clause. */
export function storeProblem(file: string): string | undefined {
  const info = infoOf(file);
  if (info?.format !== 'qcow2') return undefined;
  const { backingFile, dataFile, encryption, obstacle, writeObstacle } = info;
  if (backingFile !== undefined || dataFile !== undefined) return 'refers to another file, which variables never do';
  return encryption === undefined ? (obstacle ?? writeObstacle) : 'is encrypted';
}

/** Size of flash in bytes, whatever the file takes; undefined when it cannot be looked at. */
export function sizeOf(file: string | undefined): number | undefined {
  const info = file === undefined ? undefined : infoOf(file);
  // Of raw variables that look like another format the file's own size counts.
  return info?.format === 'qcow2' ? info.virtualSizeBytes : info?.fileBytes;
}

function infoOf(file: string): (ImageInfo & { readonly fileBytes: number }) | undefined {
  try {
    return { ...readImageInfo(file), fileBytes: statSync(file).size };
  } catch (error) {
    if (error instanceof QemuError || errorCode(error) !== undefined) return undefined;
    throw error;
  }
}

/**
 * Gives the machine its own variables when it has none yet.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` for a template that others may write, `QEMU_IO`, `QEMU_ABORTED`.
 */
export async function ensureStore(
  store: VariableStore,
  template: FirmwareImage,
  files: MachinePaths,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (existsSync(store.file)) return;
  // What root reads there becomes the machine's.
  trustPath(template.filename);
  ensureDir(files.stateDir, 0o700);
  try {
    if (store.oldFile !== undefined) renameSync(store.oldFile, store.file);
    else if (store.format === 'qcow2' && template.format !== 'qcow2') await convert(template, store.file, signal);
    // COPYFILE_EXCL: variables that are there are the guest's and are never written over.
    else copyFileSync(template.filename, store.file, constants.COPYFILE_EXCL);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    if (error instanceof QemuError) throw error;
    throw new QemuError('QEMU_IO', `Cannot write firmware variables "${store.file}"`, { cause: error });
  }
}

async function convert(template: FirmwareImage, file: string, signal: AbortSignal | undefined): Promise<void> {
  const made = hiddenSibling(file, 'new');
  try {
    const call = ['convert', '-q', '-f', template.format, '-O', 'qcow2', '--', template.filename, made];
    const { exitCode, stderr } = await runQemuImg(call, { prefix: [], timeoutMs: CONVERT_MS, signal });
    if (exitCode !== 0) {
      const message = `Cannot make firmware variables "${file}" from "${template.filename}": ${stderr.trim()}`;
      throw new QemuError('QEMU_IO', message);
    }
    chmodSync(made, 0o600);
    linkSync(made, file);
  } finally {
    removeIfExists(made);
  }
}

/** Variables have at most 64 MiB, nearly all of it empty. */
const CONVERT_MS = 60_000;

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
