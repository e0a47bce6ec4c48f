import {
  closeSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, QemuError } from '../base/errors.ts';
import { fileError } from '../system/files/file-error.ts';
import { ensureDir, isThere, removeIfExists } from '../system/files/files.ts';
import { hiddenSibling, leftoversOf } from '../system/files/hidden-sibling.ts';
import { removeTree } from '../system/files/remove-tree.ts';
import { readProcess } from '../system/process/process.ts';
import type { User } from '../system/users.ts';

interface Entry {
  readonly part: string;
  readonly path: string;
  readonly isFolder: boolean;
}

/**
 * Files and folders that are made together or not at all. Until {@link NewFiles.commit} each has a hidden name that
 * ends in `.part`; whoever is killed in between leaves those, and the next command for the same name removes them.
 */
export class NewFiles {
  readonly #entries: Entry[] = [];
  readonly #final: string[] = [];
  readonly #scratch: string[] = [];
  readonly #folders: string[] = [];

  /**
   * Makes an empty file to be filled, which only its owner can use.
   *
   * @returns its name until then.
   * @throws {QemuError} `QEMU_IO` when the final name is taken.
   */
  file(path: string, owner?: User, mode = 0o600): string {
    const part = this.#begin(path, false);
    try {
      const file = openSync(part, 'wx', mode);
      try {
        if (owner) fchownSync(file, owner.uid, owner.gid);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw fileError('make', path, error);
    }
    return part;
  }

  /** A file next to it that is only needed until everything is made. @throws as {@link NewFiles.file}. */
  scratch(path: string, owner?: User): string {
    const part = this.file(path, owner);
    this.#entries.pop();
    this.#scratch.push(part);
    return part;
  }

  /** The same under a name that was chosen. */
  scratchAt(part: string): string {
    this.#scratch.push(part);
    try {
      closeSync(openSync(part, 'wx', 0o600));
    } catch (error) {
      throw fileError('make', part, error);
    }
    return part;
  }

  /** Makes a folder that may be there already. @throws {QemuError} `QEMU_IO` */
  ensureFolder(path: string, mode: number): void {
    if (isThere(path)) return;
    ensureDir(path, mode);
    this.#folders.push(path);
  }

  /** Removes a file of {@link NewFiles.scratch}. */
  dropScratch(part: string): void {
    removeIfExists(part);
  }

  /** A file with that content. @throws as {@link NewFiles.file}. */
  text(path: string, text: string | Uint8Array, mode: number, owner?: User): void {
    const part = this.#begin(path, false);
    try {
      writeFileSync(part, text, { flag: 'wx', mode });
      if (owner) lchownSync(part, owner.uid, owner.gid);
    } catch (error) {
      throw fileError('make', path, error);
    }
  }

  /** A folder for the caller's user alone, with these files. @throws as {@link NewFiles.file}. */
  folder(path: string, files: ReadonlyMap<string, string | Uint8Array>): void {
    const part = this.#begin(path, true);
    try {
      mkdirSync(part, { mode: 0o700 });
      for (const [name, data] of files) {
        writeFileSync(join(part, name), data, { flag: 'wx', mode: 0o600 });
        syncNow(join(part, name));
      }
    } catch (error) {
      throw fileError('make folder', path, error);
    }
  }

  /**
   * Gives everything its final name, in the order in which it was begun, and outlives a power cut from then on.
   *
   * @throws {QemuError} `QEMU_IO` when a name was taken meanwhile: then nothing is left.
   */
  async commit(): Promise<void> {
    for (const { part, isFolder } of this.#entries) if (!isFolder) await sync(part);
    for (const { part, path, isFolder } of this.#entries) {
      try {
        if (isFolder) {
          if (isThere(path)) throw taken(path);
          renameSync(part, path);
        } else {
          // Unlike rename(2), link(2) never replaces a file.
          linkSync(part, path);
          removeIfExists(part);
        }
      } catch (error) {
        if (errorCode(error) === 'EEXIST') throw taken(path);
        throw error instanceof QemuError ? error : fileError('make', path, error);
      }
      this.#final.push(path);
    }
    for (const folder of new Set(this.#entries.map(({ path }) => dirname(path)))) syncNow(folder);
  }

  /** Removes all of it, whatever its name is by now. */
  undo(): void {
    const files = this.#entries.filter(({ isFolder }) => !isFolder).map(({ part }) => part);
    const folders = this.#entries.filter(({ isFolder }) => isFolder);
    for (const path of [...files, ...this.#scratch]) removeIfExists(path);
    for (const { part } of folders) removeTree(part);
    for (const path of this.#final) {
      if (folders.some((folder) => folder.path === path)) removeTree(path);
      else removeIfExists(path);
    }
    for (const path of this.#folders) {
      try {
        rmdirSync(path);
      } catch {
        // Something else is in it by now.
      }
    }
  }

  #begin(path: string, isFolder: boolean): string {
    claimName(path);
    const part = hiddenSibling(path, PART);
    this.#entries.push({ part, path, isFolder });
    return part;
  }
}

const PART = 'part';

/**
 * Makes sure that a new file can have that name. What killed commands left for it is removed.
 *
 * @throws {QemuError} `QEMU_IO` when anything has that name.
 */
export function claimName(path: string): void {
  if (isThere(path)) throw taken(path);
  removeLeftovers(path);
}

function taken(path: string): QemuError {
  const what = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ? 'Folder' : 'File';
  return new QemuError('QEMU_IO', `${what} "${path}" exists already`);
}

/** What killed commands left; the name has the process that is at work on it. */
function removeLeftovers(path: string): void {
  try {
    for (const name of leftoversOf(path, PART)) {
      const pid = Number(/\.(\d+)-\d+\.part$/.exec(name)?.[1]);
      if (pid === process.pid || readProcess(pid) !== undefined) continue;
      const leftover = join(dirname(path), name);
      if (lstatSync(leftover, { throwIfNoEntry: false })?.isDirectory()) removeTree(leftover);
      else removeIfExists(leftover);
    }
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw fileError('read', dirname(path), error);
  }
}

function syncNow(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Gigabytes may be on their way to the disk. */
async function sync(path: string): Promise<void> {
  try {
    const file = await open(path, 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError('write', path, error);
  }
}
