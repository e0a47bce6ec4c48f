import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode, isNotFound } from '../../base/errors.ts';
import { ensureDir, readSmallFile } from '../files/files.ts';
import { removeWhole } from '../files/remove-tree.ts';
import { bootId, isSameProcess, readProcess } from '../process/process.ts';

/** Who holds a lock. */
export interface LockHolder {
  readonly pid: number;
  /** The purpose it declared, such as `stop`; else its command line. */
  readonly command: string;
}

/*
 * A lock is a folder that holds one file, whose name identifies the process that holds the lock:
 * `holder.PID.STARTTIME.BOOTID`. The folder is made under another name and then renamed, so that it names its holder
 * from its first instant, and no process has to guess from its age whether a lock is left over. rename(2) replaces an
 * empty folder and refuses (ENOTEMPTY or EEXIST) one with a file in it: that decides which process wins. The file of a
 * dead holder is removed by its exact name, which can never be a new holder's, so two processes that clear away the
 * same old lock cannot harm a third that has just taken it.
 */

/**
 * Takes the lock for this process, clearing away what a dead process left.
 *
 * @throws the error of rename(2) with code `EEXIST` while another living process, or this one, holds it.
 */
export function claimLockFolder(path: string, purpose: string): void {
  removeDeadClaims(path);
  let isTaken = false;
  while (!isTaken) {
    refuseIfHeld(path);
    isTaken = tryToTake(path, purpose);
  }
}

/** Releases the lock, if this process still holds it. */
export function releaseLockFolder(path: string): void {
  try {
    unlinkSync(join(path, holderName()));
    rmdirSync(path);
  } catch (error) {
    // Not empty: the next holder was faster than rmdir and already has it.
    if (!isNotFound(error) && !isInUse(error)) throw error;
  }
}

/** Removes a lock whose holder was killed, and whatever else killed processes left of it. A lock that is held stays. */
export function dropDeadLock(path: string): void {
  removeDeadClaims(path);
  try {
    for (const name of holderFiles(path)) if (readHolder(path, name) === undefined) removeWhole(join(path, name));
    rmdirSync(path);
  } catch (error) {
    if (!isNotFound(error) && !isInUse(error) && errorCode(error) !== 'ENOTDIR') throw error;
  }
}

/** The living process that holds the lock; undefined when it is free, free to take, or cannot be looked at. */
export function readLockHolder(path: string): LockHolder | undefined {
  try {
    for (const name of holderFiles(path)) {
      const holder = readHolder(path, name);
      if (holder === undefined) continue;
      return { pid: holder.pid, command: readPurpose(join(path, name)) ?? commandLine(holder.pid) };
    }
  } catch {
    // It is only for a message, so a failure is ignored.
  }
  return undefined;
}

interface HolderId {
  readonly pid: number;
  readonly startTime: string;
  readonly boot: string;
}

function holderName(): string {
  const startTime = readProcess(process.pid)?.startTime ?? '';
  return `holder.${process.pid}.${startTime}.${shortBootId()}`;
}

function parseHolderName(name: string): HolderId | undefined {
  const [, pid, startTime, boot] = /^holder\.(\d+)\.(\d+)\.([0-9a-f]+)$/.exec(name) ?? [];
  if (pid === undefined || startTime === undefined || boot === undefined) return undefined;
  return { pid: Number(pid), startTime, boot };
}

/**
 * The living process that an entry of a lock folder names; undefined for anything else. Entries that other users could
 * have put there, and anything but a file, are ignored.
 */
function readHolder(path: string, name: string): HolderId | undefined {
  const holder = parseHolderName(name);
  if (holder === undefined || !isAlive(holder)) return undefined;
  const stats = lstatSync(join(path, name), { throwIfNoEntry: false });
  const isOurs = stats?.uid === 0 || stats?.uid === process.geteuid?.();
  return stats?.isFile() && isOurs ? holder : undefined;
}

function isAlive(holder: HolderId): boolean {
  return holder.boot === shortBootId() && isSameProcess(holder.pid, holder.startTime);
}

function shortBootId(): string {
  return bootId().slice(0, 8);
}

/** Undefined when it cannot be read, because its lock has just been released, and for text that is not one of ours. */
function readPurpose(path: string): string | undefined {
  try {
    const text = readSmallFile(path) ?? '';
    return /^[\w-]+$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** For a terminal: without control characters. */
function commandLine(pid: number): string {
  return readProcess(pid)?.argv.join(' ').replaceAll(/\p{C}/gu, '?') ?? '';
}

/** Throws when a living process holds the lock; clears away the files of all others. */
function refuseIfHeld(path: string): void {
  for (const name of holderFiles(path)) {
    const holder = readHolder(path, name);
    if (holder !== undefined) {
      throw Object.assign(new Error(`lock is held by process ${holder.pid}`), { code: 'EEXIST' });
    }
    if (removeWhole(join(path, name))) continue;
    throw Object.assign(new Error(`"${join(path, name)}" is in the way and cannot be removed`), { code: 'EPERM' });
  }
}

/** False when a race leaves the question open. */
function tryToTake(path: string, purpose: string): boolean {
  const claim = makeClaim(path, purpose);
  try {
    renameSync(claim, path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOTDIR') removeForeignFile(path);
    else if (code !== 'ENOENT' && !isInUse(error)) throw error;
    return false;
  } finally {
    removeWhole(claim);
  }
}

function holderFiles(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/**
 * How often the folder that contains a lock may vanish during an attempt; on some file systems it always appears to.
 */
const MOST_ATTEMPTS = 20;

/** The lock folder under its temporary name: `PATH.PID.N`. */
function makeClaim(path: string, purpose: string, attempt = 1): string {
  const claim = `${path}.${process.pid}.${process.hrtime.bigint()}`;
  try {
    mkdirSync(claim, { mode: 0o755 });
    writeFileSync(join(claim, holderName()), purpose);
    return claim;
  } catch (error) {
    removeWhole(claim);
    if (errorCode(error) !== 'ENOENT' || attempt === MOST_ATTEMPTS) throw error;
    // Another command has just removed the folder that contains the lock.
    ensureDir(dirname(path), 0o700);
    return makeClaim(path, purpose, attempt + 1);
  }
}

/** Claims of processes that were killed between making one and renaming it. */
function removeDeadClaims(path: string): void {
  const start = `${basename(path)}.`;
  for (const name of holderFiles(dirname(path))) {
    if (!name.startsWith(start)) continue;
    const [, pid] = /^(\d+)\.\d+$/.exec(name.slice(start.length)) ?? [];
    if (pid === undefined || readProcess(Number(pid)) !== undefined) continue;
    removeWhole(join(dirname(path), name));
  }
}

/** Our locks are never files. If a lock has taken its place meanwhile, unlink(2) refuses to remove a folder. */
function removeForeignFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOENT' && code !== 'EISDIR') throw error;
  }
}

function isInUse(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}
