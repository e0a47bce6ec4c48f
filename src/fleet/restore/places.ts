import { lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { BackupDisk } from '../../machine/backup/manifest.ts';
import { isThere } from '../../system/files/files.ts';
import { placeWithoutLinks } from '../../system/files/held-folder.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';

/** Where the images of a new machine may go. */
export interface NewPlaces {
  /** Folder of the cfg file. */
  readonly dir: string;
  /** Whether the images go back to where they were, if that is free. */
  readonly mayReturn: boolean;
  /** Long name in the backup, and the one of the new machine. */
  readonly oldName: string;
  readonly newName: string;
}

/**
 * Paths for the images of a new machine, by key: where they were, if nothing is there now; else next to the cfg file.
 *
 * @throws {QemuError} as {@link placeWithoutLinks}.
 */
export function newPlaces(disks: readonly BackupDisk[], places: NewPlaces): ReadonlyMap<string, string> {
  const { dir, mayReturn } = places;
  const taken = new Set<string>();
  return new Map(
    disks.map((disk) => {
      const { key, sourcePath } = disk;
      const path = mayReturn && canReturn(sourcePath) ? sourcePath : join(dir, nameOf(disk, places));
      const free = taken.has(path) ? join(dir, `${places.newName}-${key.toLowerCase()}${extension(disk)}`) : path;
      taken.add(free);
      return [key, placeWithoutLinks(free)];
    }),
  );
}

/** The same of another file that the cfg names. */
export function newPlace(path: string, { dir, mayReturn, oldName, newName }: NewPlaces): string {
  return placeWithoutLinks(mayReturn && canReturn(path) ? path : join(dir, renamed(basename(path), oldName, newName)));
}

/** @throws {QemuError} `QEMU_IO` when something is there. */
export function demandFree(path: string): void {
  if (!isThere(path)) return;
  throw new QemuError('QEMU_IO', `"${path}" exists already`, {
    hint: 'restore under another name with --as, or to another folder with --output',
  });
}

/**
 * The place of an image that is replaced. A link that root or this user made stays one.
 *
 * @throws {QemuError} `QEMU_IO` for a device, which cannot be kept until the new image is whole; `QEMU_NOT_PERMITTED` for
 * a link of another user.
 */
export function placeToReplace(key: string, path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (isLink) trustPath(path);
  const stats = statSync(path, { throwIfNoEntry: false });
  const isDevice = stats === undefined ? path.startsWith('/dev/') : !stats.isFile();
  if (!isDevice) return placeWithoutLinks(isLink && stats ? realpathSync(path) : path);
  throw new QemuError('QEMU_IO', `${key} "${path}" is not a file, and cannot be replaced as a whole`, {
    hint: 'restore to a file: give --output, or --as',
  });
}

function canReturn(path: string): boolean {
  if (path.startsWith('/dev/') || isThere(path)) return false;
  return statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() === true;
}

function nameOf(disk: BackupDisk, { oldName, newName }: NewPlaces): string {
  const { key, sourcePath } = disk;
  if (sourcePath.startsWith('/dev/')) return `${newName}-${key.toLowerCase()}${extension(disk)}`;
  return renamed(basename(sourcePath), oldName, newName);
}

/** `web-data.img` is `copy-data.img`, `data.img` is `copy-data.img`, too. */
function renamed(name: string, oldName: string, newName: string): string {
  if (oldName === newName) return name;
  const rest = name.slice(oldName.length);
  const isOfName = name.startsWith(oldName) && !/^[A-Za-z0-9]/.test(rest);
  return isOfName ? `${newName}${rest}` : `${newName}-${name}`;
}

function extension({ sourcePath, sourceFormat }: BackupDisk): string {
  if (!sourcePath.startsWith('/dev/')) return extname(sourcePath);
  return sourceFormat === 'raw' ? '.img' : `.${sourceFormat}`;
}
