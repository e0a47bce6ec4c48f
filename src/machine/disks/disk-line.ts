import { dirname, isAbsolute, relative } from 'node:path';
import { ConfigError } from '../../base/config-error.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { parseDisk, renderDisk, replaceDiskFile } from '../../config/disk.ts';
import { CUSTOM_SECTION } from '../../config/keys.ts';
import { scanLines } from '../../config/text/cfg-lines.ts';
import { setKey } from '../../config/text/edit-text.ts';
import { diskNodeParts } from '../argv/disks.ts';
import { renderOption } from '../argv/render/argv.ts';
import { readConfigText } from '../config-text.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { inspectMachineConfig } from '../load-config.ts';
import { readLaunchRecord, writeLaunchRecord } from '../run/launch-record.ts';

/** An image that a disk is in. */
export interface DiskFile {
  /** `DSK1`. */
  readonly key: string;
  /** Absolute. */
  readonly file: string;
  readonly format: string;
}

/** What a line of a machine's file says of a disk now, and with another image. */
export interface DiskLine {
  readonly from: string;
  readonly to: string;
}

/**
 * The values of a disk's line before and after it gets another image. A path that was relative to the file's folder
 * stays so, if it can.
 *
 * @param old the disk so far, for one that only the host's defaults name.
 */
export function diskLine(text: string, configPath: string, { key, file, format }: DiskFile, old: DiskConfig): DiskLine {
  const from = writtenValue(text, key) ?? renderDisk(old);
  const inFolder = relative(dirname(configPath), file);
  // A name with a colon before its first slash is not one of a file to QEMU.
  const isBelow = !isAbsolute(inFolder) && !inFolder.startsWith('..') && !/^[^/]*:/.test(inFolder);
  const isRelative = isBelow && !from.trim().startsWith('/');
  return { from, to: replaceDiskFile(from, isRelative ? inFolder : file, format) };
}

/** The same for the machine's file as it is now. @throws {ConfigError} when it cannot be read. */
export function lineOfDisk({ configPath }: MachineRef, image: DiskFile, old: DiskConfig): DiskLine {
  const read = readConfigText(configPath);
  if ('text' in read) return diskLine(read.text, configPath, image, old);
  throw new ConfigError(`Cannot change "${configPath}"`, [read.issue], { cause: read.cause });
}

function writtenValue(text: string, key: string): string | undefined {
  for (const line of scanLines(text, CUSTOM_SECTION)) {
    if (line.kind === 'section') return undefined;
    if (line.kind === 'entry' && line.key === key) return line.value;
  }
  return undefined;
}

/**
 * The image that the machine's file names for a disk; undefined when it names none or cannot be read. Mistakes elsewhere
 * in the file make no difference.
 */
export function namedFile(host: MachineContext, { configPath }: MachineRef, key: string): string | undefined {
  const index = Number(key.replace('DSK', ''));
  const { config, draft } = inspectMachineConfig(configPath, host.paths.defaultsFile);
  const disk = (config ?? draft)?.disks.find((each) => each.index === index);
  if (disk !== undefined) return disk.file;
  const read = readConfigText(configPath);
  const value = 'text' in read ? writtenValue(read.text, key) : undefined;
  const context = { key, dir: dirname(configPath), inDefaults: false, report: () => {} };
  return value === undefined ? undefined : parseDisk(value, index, context)?.file;
}

/** Lets the record of what a machine runs with name the image that a disk is in now, too. */
export function noteDiskFile(host: MachineContext, target: MachineRef, { key, file, format }: DiskFile): void {
  const { files, configPath } = target;
  const launch = readLaunchRecord(files);
  const { config, draft } = inspectMachineConfig(configPath, host.paths.defaultsFile);
  const old = (config ?? draft)?.disks.find(({ index }) => key === `DSK${index}`);
  if (launch === undefined || old === undefined) return;
  const disk = { ...old, file, format };
  const drive = diskNodeParts([disk], [{ file, format }], files.keysDir).filter(({ kind }) => kind === 'drive');
  const [, value] = drive.flatMap((part) => renderOption(part).args);
  const isOld = (arg: string, at: number): boolean =>
    launch.args[at - 1] === '-drive' && arg.split(',').includes(`id=dsk${old.index}`);
  writeLaunchRecord(files, {
    ...launch,
    args: launch.args.map((arg, at) => (value !== undefined && isOld(arg, at) ? value : arg)),
    config: setKey(launch.config, key, renderDisk(disk)),
  });
}
