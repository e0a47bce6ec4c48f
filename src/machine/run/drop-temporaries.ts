import { dirname, join } from 'node:path';
import { removeDeadTemporaries } from '../../system/files/dead-temporaries.ts';
import type { MachinePaths, Paths } from '../../system/paths.ts';

/** Folders of what is stored of machines by their names, which no machine's name can be: they begin with a dot. */
const RUN_FOLDERS = ['.asked', '.crashes', '.failures', '.live', '.notices'];

/** A command that looks at many machines looks once at the folders that they share. */
const AGAIN_MS = 1_000;

const looked = new Map<string, number>();

/** Removes half-written files of commands that were killed, wherever commands on a machine write some. Never throws. */
export function dropTemporaries(paths: Paths, configPath: string, files: MachinePaths): void {
  dropSharedTemporaries(paths);
  once(dirname(configPath));
  for (const folder of [files.dir, files.tlsDir, files.stateDir, files.keptDir]) removeDeadTemporaries(folder);
}

/** The same where they write of all machines. */
function dropSharedTemporaries({ etcDir, runDir, stateDir, slotsDir, tapsDir, imagesDir, probesDir }: Paths): void {
  for (const folder of [etcDir, runDir, stateDir, slotsDir, tapsDir, imagesDir, probesDir]) once(folder);
  for (const name of RUN_FOLDERS) once(join(runDir, name));
  once(join(stateDir, '.ends'));
}

function once(folder: string): void {
  const now = performance.now();
  if (now - (looked.get(folder) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
  looked.set(folder, now);
  removeDeadTemporaries(folder);
}
