import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { ensureDir, isThere, namesIn } from '../../system/files/files.ts';
import { readSince } from '../../system/files/log/log-mark.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { RunRecord } from './record.ts';
import { logTail } from './run-files.ts';

/** Runs that ended badly, of which something is kept. */
const MOST_CRASHES = 5;
const MOST_LINES = 100;
/** Of each file. A guest decides how long its lines are. */
const MOST_BYTES = 64 * 1024;

/**
 * Keeps what a run printed last that ended badly: the next run goes on in the same logs, which are shortened. Of each
 * run once, however often it is cleaned up after. Only root, or the machine's owner in the user scope, may read it.
 *
 * @param end what is known of the end, as a JSON document.
 * @param screen a picture of its screen, as PNG.
 * @returns the name of the folder, for {@link crashFolder}; undefined when there is no room for it.
 */
export function keepCrash(files: MachinePaths, record: RunRecord, end: object, screen?: Buffer): string | undefined {
  const name = record.startedAt.replaceAll(/[^\dTZ]/g, '-');
  try {
    const folder = join(crashesOf(files), name);
    for (const path of [files.stateDir, crashesOf(files), folder]) ensureDir(path, 0o700);
    const about = { name: record.name, startedAt: record.startedAt, ...end };
    writeFileAtomic(join(folder, 'end.json'), `${JSON.stringify(about, null, 1)}\n`, 0o600);
    const texts = {
      console: () => readSince(files.consoleLog, record.consoleLog, MOST_BYTES),
      log: () => logTail(files),
    };
    for (const [file, read] of Object.entries(texts)) writeFileAtomic(join(folder, file), lastLines(read), 0o600);
    if (screen !== undefined) writeFileAtomic(join(folder, 'screen.png'), screen, 0o600);
    const names = namesIn(crashesOf(files)).filter(isCrash).sort();
    for (const old of names.slice(0, -MOST_CRASHES)) removeTree(join(crashesOf(files), old));
    return name;
  } catch (error) {
    // A full disk must not keep a machine from being cleaned up after.
    if (!(error instanceof QemuError)) throw error;
    return undefined;
  }
}

/** The folder of that name, if it is still there. */
export function crashFolder(files: Pick<MachinePaths, 'stateDir'>, name: unknown): string | undefined {
  if (typeof name !== 'string' || !isCrash(name)) return undefined;
  const folder = join(crashesOf(files), name);
  return isThere(folder) ? folder : undefined;
}

function crashesOf({ stateDir }: Pick<MachinePaths, 'stateDir'>): string {
  return join(stateDir, 'crash');
}

function isCrash(name: string): boolean {
  return /^\d[\dTZ-]+$/.test(name);
}

/** None of a log that leads elsewhere, or that its owner keeps others from reading. */
function lastLines(read: () => Buffer | string): string {
  try {
    return String(read())
      .split(/(?<=\n)/)
      .slice(-MOST_LINES)
      .join('');
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return '';
  }
}
