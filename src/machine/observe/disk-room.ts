import { realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { mountOf, readMounts } from '../../system/files/mounts.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { namedFile } from '../disks/disk-line.ts';
import { readRecord } from '../run/record.ts';

/** A disk that the guest waits for because there is no room for what it writes. */
export interface FullDisk {
  /** `DSK1`. */
  readonly key: string;
  /** The image. */
  readonly file: string;
  /** Where its file system is mounted; undefined for a block device, whose own room is meant. */
  readonly fileSystem: string | undefined;
  /** What QEMU's user may still use; undefined for a block device. */
  readonly freeBytes: number | undefined;
}

/** Less is not enough for QEMU to go on: a cluster of an image, and what its tables need. */
const LEAST_BYTES = 64 * 1024;

/**
 * Where a disk has no room. The file is the one that the machine's file names: what a QEMU says could be any path.
 *
 * @param drive `dsk1`.
 * @returns undefined when that cannot be told.
 */
export function fullDisk(host: MachineContext, target: MachineRef, drive: string): FullDisk | undefined {
  const key = drive.toUpperCase();
  const file = /^DSK\d+$/.test(key) ? namedFile(host, target, key) : undefined;
  if (file === undefined) return undefined;
  try {
    if (statSync(file).isBlockDevice()) return { key, file, fileSystem: undefined, freeBytes: undefined };
    const { bavail, bfree, bsize } = statfsSync(file);
    // statfs(2): some of it is for root alone.
    const blocks = (readRecord(target.files)?.uid ?? 0) === 0 ? bfree : bavail;
    const folder = realpathSync(dirname(file));
    return { key, file, fileSystem: mountOf(readMounts(), folder)?.point ?? '/', freeBytes: blocks * bsize };
  } catch {
    // It is not there any more, or not for this user to see.
    return undefined;
  }
}

/** {@link describeFull} of a drive that still has no room; undefined when it is of use to try again. */
export function whyFull(host: MachineContext, target: MachineRef, drive: string): string | undefined {
  const full = fullDisk(host, target, drive);
  return full === undefined || hasRoom(full) ? undefined : describeFull(full);
}

/** That a guest waits because of a disk, and what to do, as a clause. */
export function describeWait(full: FullDisk, longName: string): string {
  const resume = `qemu-init resume ${longName}`;
  if (full.freeBytes === undefined || !hasRoom(full)) return `${describeFull(full)}; when there is room: ${resume}`;
  const { key, file, fileSystem, freeBytes } = full;
  return `${key} "${file}" had no room on "${fileSystem}", which has ${mebibytes(freeBytes)} free now: ${resume}`;
}

function mebibytes(bytes: number): string {
  return bytes < 1024 ** 2 ? `${Math.floor(bytes / 1024)} KiB` : `${Math.floor(bytes / 1024 ** 2)} MiB`;
}

function hasRoom({ freeBytes }: FullDisk): boolean {
  return freeBytes === undefined || freeBytes >= LEAST_BYTES;
}

/** As a clause: `DSK1 "/srv/web.qcow2" has no room on "/srv" (12 KiB free)`. */
function describeFull({ key, file, fileSystem, freeBytes }: FullDisk): string {
  if (freeBytes === undefined) return `${key} "${file}" has no room on its device`;
  return `${key} "${file}" has no room on "${fileSystem}" (${Math.floor(freeBytes / 1024)} KiB free)`;
}
