import { type BigIntStats, statSync } from 'node:fs';
import { join } from 'node:path';
import { readTextIfExists } from '../../../system/files/files.ts';

/** Which files the generator has read, and how they were then, in its own folder; systemd passes over it. */
export const READ_FILES = 'qemu-init.files';

/**
 * What is stored of files before they are read: a line `STATE PATH` for each. A change that comes while systemd reads its
 * units, or that its path unit did not see, shows in comparison with this.
 *
 * @param now milliseconds since 1970.
 */
export function noteFiles(paths: readonly string[], now: number = Date.now()): string {
  return [...new Set(paths)].map((path) => `${noteOf(path, now)} ${path}\n`).join('');
}

/**
 * Whether any of these files has changed since the generator read it. Of those that it did not read, nothing is known.
 *
 * @param dir the folder that the generator wrote to.
 */
export function haveChanged(dir: string, paths: readonly string[]): boolean {
  const read = new Map(
    (readTextIfExists(join(dir, READ_FILES)) ?? '').split('\n').map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(space + 1), line.slice(0, space)];
    }),
  );
  return paths.some((path) => read.has(path) && read.get(path) !== stateOf(statsOf(path)));
}

/** A second change within one tick of the clock would not show: such a file counts as changed. */
function noteOf(path: string, now: number): string {
  const stats = statsOf(path);
  return stats !== undefined && now - Number(stats.ctimeMs) < TICK_MS ? UNSETTLED : stateOf(stats);
}

/** A jiffy at 100 Hz, the slowest clock that Linux is built with, twice. */
const TICK_MS = 20;
const UNSETTLED = '?';
const MISSING = '-';

/** The same as `stat --dereference --format=%s:%.9Y:%.9Z`, with which systemd/qemu-reload compares. */
function stateOf(stats: BigIntStats | undefined): string {
  return stats === undefined ? MISSING : `${stats.size}:${seconds(stats.mtimeNs)}:${seconds(stats.ctimeNs)}`;
}

function seconds(ns: bigint): string {
  return `${ns / SECOND_NS}.${String(ns % SECOND_NS).padStart(9, '0')}`;
}

const SECOND_NS = 1_000_000_000n;

function statsOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
