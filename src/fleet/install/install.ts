import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readlinkSync, renameSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode, isNotFound, QemuError } from '../../base/errors.ts';
import { fileError } from '../../system/files/file-error.ts';
import { ensureDir } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import type { Item } from './items.ts';
import { type Manifest, readManifest, renderManifest } from './manifest.ts';

/** What happens to one path. */
export type ChangeKind = 'write' | 'unchanged' | 'keep' | 'remove';

/** One path and what happens to it; `keep`: it is the administrator's. */
export interface Change {
  readonly kind: ChangeKind;
  readonly path: string;
}

export interface InstallTarget {
  /** Folder to use as `/`; empty for the host itself. */
  readonly destDir: string;
  /** Path of the manifest, without the destination folder. */
  readonly manifest: string;
  readonly version: string;
  /** Only report what would be done. */
  readonly dryRun: boolean;
  /** Names of the distribution's packages by the paths that they own: these paths are left alone. */
  readonly packaged?: ReadonlyMap<string, string>;
}

/**
 * Installs items, each atomically, and removes what an earlier installation wrote and this one no longer has.
 * Configuration that was changed since is kept. Can be repeated safely.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO`
 */
export function installItems(items: readonly Item[], target: InstallTarget): Change[] {
  const at = (path: string): string => join(target.destDir || '/', path);
  trustPlaces(target, [target.manifest, ...items.map(({ path }) => path)]);
  const before = readManifest(at(target.manifest));
  trustPlaces(target, [...before.written.keys(), ...before.folders]);
  const written = new Map<string, string>();
  const folders = new Set(before.folders);
  const changes = items.map((item): Change => {
    const { path } = item;
    if (target.packaged?.has(path)) return { kind: 'keep', path };
    const current = fingerprint(at(path));
    const wanted = fingerprintOf(item);
    if (current === wanted) {
      written.set(path, wanted);
      return { kind: 'unchanged', path };
    }
    const isTheirs = item.kind === 'config' && current !== undefined && current !== before.written.get(path);
    // Remembered as written: if the administrator restores that version, it is ours again.
    written.set(path, isTheirs ? (before.written.get(path) ?? wanted) : wanted);
    if (isTheirs) return { kind: 'keep', path };
    if (!target.dryRun) {
      for (const folder of missingFolders(target.destDir, path)) folders.add(folder);
      put(item, at(path));
    }
    return { kind: 'write', path };
  });
  const outdated = [...before.written.keys()].filter((path) => !written.has(path));
  const removed = outdated.flatMap((path) => removeOurs(path, before, target));
  if (!target.dryRun) {
    const manifest = { version: target.version, written, folders: [...folders].toSorted() };
    writeFileAtomic(at(target.manifest), renderManifest(manifest), 0o644, { durable: true });
  }
  return [...changes, ...removed];
}

/**
 * Removes files that an installation wrote, except modified ones, and folders that it created, if they are empty.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`
 */
export function uninstallItems(target: Omit<InstallTarget, 'version'>): Change[] {
  const at = (path: string): string => join(target.destDir || '/', path);
  trustPlaces(target, [target.manifest]);
  const manifest = readManifest(at(target.manifest));
  trustPlaces(target, [...manifest.written.keys(), ...manifest.folders]);
  const changes = [...manifest.written.keys()].flatMap((path) => removeOurs(path, manifest, target));
  if (target.dryRun) return changes;
  rmSync(at(target.manifest), { force: true });
  for (const folder of manifest.folders.toReversed()) removeIfEmpty(at(folder));
  return changes;
}

/**
 * In a destination folder that others may write to, their links would lead root to any place of the host, and their manifest
 * name what it removes.
 */
function trustPlaces({ destDir }: Pick<InstallTarget, 'destDir'>, paths: readonly string[]): void {
  if (destDir === '') return;
  for (const folder of new Set(paths.map((path) => dirname(join(destDir, path))))) trustPath(folder);
}

/** Places that are the same whatever the prefix: what is there already is left to the package that it is from. */
const SHARED = ['/etc/', '/usr/lib/ocf/'];

/**
 * Refuses to overwrite files of a package, except those in shared places, which {@link installItems} keeps.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`
 */
export function refusePackaged(items: readonly Item[], packaged: ReadonlyMap<string, string>): void {
  const isShared = (path: string): boolean => SHARED.some((folder) => path.startsWith(folder));
  const taken = items.map(({ path }) => path).filter((path) => packaged.has(path) && !isShared(path));
  const [first] = taken;
  if (first === undefined) return;
  const others = taken.length === 1 ? '' : `, as do ${taken.length - 1} more files`;
  const message = `"${first}" belongs to the package "${packaged.get(first)}"${others}`;
  throw new QemuError('QEMU_NOT_PERMITTED', message, {
    hint: 'update the package with apt, or install elsewhere: --prefix /usr/local',
  });
}

function removeOurs(path: string, manifest: Manifest, target: Omit<InstallTarget, 'version'>): Change[] {
  const place = join(target.destDir || '/', path);
  const current = fingerprint(place);
  if (current === undefined) return [];
  if (target.packaged?.has(path) || current !== manifest.written.get(path)) return [{ kind: 'keep', path }];
  if (!target.dryRun) rmSync(place);
  return [{ kind: 'remove', path }];
}

function put(item: Item, place: string): void {
  ensureDir(dirname(place), 0o755);
  if (item.kind !== 'link') {
    writeFileAtomic(place, item.text, item.mode, { durable: item.kind === 'config' });
    return;
  }
  const fresh = join(dirname(place), `.${basename(place)}.${process.pid}`);
  rmSync(fresh, { force: true });
  symlinkSync(item.target, fresh);
  renameSync(fresh, place);
}

function missingFolders(destDir: string, path: string): string[] {
  const folders: string[] = [];
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(destDir || '/', folder))) break;
    folders.unshift(folder);
  }
  return folders;
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isNotFound(error) && errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EBUSY') throw error;
  }
}

function fingerprintOf(item: Item): string {
  return item.kind === 'link' ? `-> ${item.target}` : digest(item.text, item.mode);
}

/** What is at a path, to be compared; undefined when there is nothing. */
function fingerprint(place: string): string | undefined {
  try {
    const stats = lstatSync(place);
    if (stats.isSymbolicLink()) return `-> ${readlinkSync(place)}`;
    return stats.isFile() ? digest(readFileSync(place), stats.mode) : 'other';
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw fileError('read', place, error);
  }
}

/** Of the mode only whether it is executable counts; the rest is the administrator's choice. */
function digest(text: string | Uint8Array, mode: number): string {
  return `${createHash('sha256').update(text).digest('hex')}${(mode & 0o100) === 0 ? '' : ' x'}`;
}
