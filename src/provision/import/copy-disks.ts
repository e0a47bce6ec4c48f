import { extname, join, relative } from 'node:path';
import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { renderDisk } from '../../config/disk.ts';
import { renderFirmware } from '../../config/hardware/hardware.ts';
import type { MachineConfig } from '../../config/types.ts';
import { ensureDir } from '../../system/files/files.ts';
import { withImage } from '../../system/images/image.ts';
import type { Paths } from '../../system/paths.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { ownerOf } from '../create.ts';
import { fillDisk, type PlannedDisk } from '../disks/plan-disks.ts';
import { examineImage, type SourceImage } from '../disks/source-image.ts';
import { checkDraft, withSettings } from '../draft.ts';
import { claimName, NewFiles } from '../new-files.ts';
import type { ImportedMachine } from './import.ts';

/** A file of an imported machine that was copied. */
export interface CopiedFile {
  /** `DSK1`, or `FIRMWARE` for the variables of the firmware. */
  readonly key: string;
  readonly from: string;
  readonly path: string;
}

/** An imported machine that rests on nothing of the other program any more. */
export interface CopiedImport {
  /** Its cfg file. */
  readonly path: string;
  readonly copied: readonly CopiedFile[];
}

/**
 * Writes the cfg file of an imported machine and, next to it, copies of all its disks as qcow2 images and of the
 * variables of its firmware. The originals are only read; nothing is overwritten, and when anything fails nothing is
 * left. Discs and kernels stay where they are.
 *
 * @param dir absolute folder for all files.
 * @throws {QemuError} `QEMU_IO` when a file exists or an image cannot be used, `QEMU_COMMAND_FAILED` when one is in use,
 * `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 * @throws {ConfigError}
 */
export async function writeImportWithDisks(
  paths: Paths,
  imported: ImportedMachine,
  dir: string,
  options: LongWorkOptions = {},
): Promise<CopiedImport> {
  const { longName: name, config } = imported;
  trustPath(dir);
  const path = join(dir, `${name}-qemu.cfg`);
  claimName(path);
  const disks = await planCopies({ ...config, longName: name }, dir, options.signal);
  const from = config.firmwareVariables;
  const variables = from === undefined ? undefined : { from, path: join(dir, `${name}-vars${extname(from)}`) };
  const data = variables && (await readVariables(variables.from, options.signal));
  for (const each of [...disks, ...(variables ? [variables] : [])]) claimName(each.path);
  const text = withSettings(imported.text, [
    ...disks.map(({ key, disk, path: file }): [string, string] => {
      return [key, renderDisk({ ...disk, file: relative(dir, file), format: 'qcow2', backing: [] })];
    }),
    ...(variables
      ? [['FIRMWARE', renderFirmware(config.firmware, relative(dir, variables.path))] as [string, string]]
      : []),
  ]);
  const user = await ownerOf(checkDraft(paths, path, text, []));
  const files = new NewFiles();
  try {
    ensureDir(dir, 0o755);
    for (const disk of disks) await fillDisk(files, disk, { ...options, user });
    if (variables && data) files.text(variables.path, data, 0o600, user);
    files.text(path, text, 0o644);
    await files.commit();
  } catch (error) {
    files.undo();
    throw error;
  }
  const copies = disks.map(({ key, path: to, source }): CopiedFile => ({ key, from: source.path, path: to }));
  return { path, copied: [...copies, ...(variables ? [{ key: 'FIRMWARE', ...variables }] : [])] };
}

interface Copy extends PlannedDisk {
  readonly disk: DiskConfig;
  readonly source: SourceImage;
}

/** Everything that is wrong with the disks is reported together. */
async function planCopies(
  { disks, longName }: MachineConfig,
  dir: string,
  signal: AbortSignal | undefined,
): Promise<Copy[]> {
  const problems: QemuError[] = [];
  const copies: Copy[] = [];
  for (const [at, disk] of disks.entries()) {
    try {
      const source = await examineImage(disk.file, { signal });
      refuseOtherFormat(disk, source);
      const file = at === 0 ? `${longName}.qcow2` : `${longName}-${at + 1}.qcow2`;
      const sizeBytes = source.virtualSizeBytes;
      copies.push({ key: `DSK${disk.index}`, disk, file, path: join(dir, file), sizeBytes, source });
    } catch (error) {
      if (!(error instanceof QemuError) || error.code === 'QEMU_ABORTED') throw error;
      problems.push(error);
    }
  }
  const [first, second] = problems;
  if (first !== undefined && second === undefined) throw first;
  if (first === undefined) return copies;
  throw new ConfigError(
    `Cannot copy the disks of "${longName}"`,
    problems.map(({ message, hint }) => ({ message, hint, severity: 'error' })),
  );
}

/** A guest can write a header of another format to its raw disk. */
function refuseOtherFormat({ index, file, format }: DiskConfig, source: SourceImage): void {
  if (format === undefined || format === source.format) return;
  throw new QemuError('QEMU_IO', `DSK${index} "${file}" is ${source.format}, and not ${format} as its definition says`);
}

/** Variables of a firmware have 64 MiB at most. */
const MOST_BYTES = 64 * 1024 * 1024;
/** PI Specification, volume 3, 3.2.1: the signature of a firmware volume. */
const VOLUME_AT = 40;

/**
 * The variables of a firmware. Root must not copy just any file that a link of another user leads to.
 *
 * @throws {QemuError} `QEMU_IO`
 */
async function readVariables(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const data = withImage(path, (file, stats) =>
    stats.isFile() && stats.size <= MOST_BYTES ? file.read(0, stats.size) : undefined,
  );
  if (data?.toString('latin1', VOLUME_AT, VOLUME_AT + 4) === '_FVH') return data;
  const isQcow2 = data?.toString('latin1', 0, 4) === 'QFI\xfb';
  if (data === undefined || !isQcow2) throw new QemuError('QEMU_IO', `"${path}" has no variables of a firmware`);
  await examineImage(path, { signal });
  return data;
}
