import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MachineStateError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { fileError } from '../../system/files/file-error.ts';
import { hiddenSibling } from '../../system/files/hidden-sibling.ts';
import { syncPath } from '../../system/files/sync.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { locate } from '../run/locate.ts';
import { exclusively } from '../run/run-lock.ts';
import { dropSaved, refuseSaved } from '../state/saved-folder.ts';
import { doWork } from '../work/do-work.ts';
import { type DiskCopy, type FileOwner, restoreDisk } from './restore-disk.ts';
import { writePart } from './restore-file.ts';
import { finishSwaps } from './swap.ts';

/** A disk, and where it is to be. */
export interface DiskTask extends Omit<DiskCopy, 'part'> {
  /** `DSK1`. */
  readonly key: string;
  readonly path: string;
  /** For the progress. */
  readonly sizeBytes: number;
}

/** A small file, and where it is to be; or the files of a folder, by their paths in it. */
export interface FileTask {
  readonly path: string;
  readonly content: Uint8Array | ReadonlyMap<string, Uint8Array>;
  readonly owner: FileOwner | undefined;
}

/** What a restore makes. */
export interface RestoreTasks {
  /** For people: `restoring web@20261127-030000`. */
  readonly what: string;
  readonly disks: readonly DiskTask[];
  readonly files: readonly FileTask[];
  /** Whether a saved state of the machine is dropped with its disks; else it keeps them. */
  readonly dropsSaved?: boolean | undefined;
}

/**
 * Makes all files of a restore, and lets them take the place of the old ones only when all of them are whole and on the disk.
 * Killed before that, the next command on the machine removes what was made; after it, that command ends the exchange.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE` when the machine runs, `QEMU_LOCKED` when other work on its disks is not over, and as
 * {@link restoreDisk}: all old files are as they were then.
 */
export async function replaceFiles(
  host: MachineContext,
  target: MachineRef,
  tasks: RestoreTasks,
  options: LongWorkOptions,
): Promise<void> {
  const { signal } = options;
  const parted = [...tasks.disks, ...tasks.files].map(({ path }) => ({ path, part: hiddenSibling(path, 'part') }));
  const partOf = (path: string): string => parted.find((each) => each.path === path)?.part ?? '';
  const plan = { kind: 'restore', what: tasks.what, partFiles: parted.map(({ part }) => ({ path: part })) };
  await doWork(
    host,
    target,
    plan,
    async (work) => {
      // A start that is under way ends first; one that comes later finds the work.
      await exclusively(host, target, { purpose: 'restore', signal }, async () => {
        demandStopped(target);
        if (tasks.dropsSaved !== true) refuseSaved(target.files, target.longName, 'restore', DROPS_IT);
      });
      await copyDisks(tasks.disks, partOf, options);
      for (const task of tasks.files) writeFile(task, partOf(task.path));
      work.noteParts();
      const { partFiles } = work.record;
      const swaps = parted.flatMap(({ path, part }) => {
        const known = partFiles.find((each) => each.path === part);
        return known ? [{ path, part: known }] : [];
      });
      work.note({ data: { swaps, dropsSaved: tasks.dropsSaved === true } });
      finishSwaps(swaps);
      // Its disks are gone: it could never be loaded.
      if (tasks.dropsSaved === true) dropSaved(target.files);
    },
    signal,
  );
}

async function copyDisks(
  disks: readonly DiskTask[],
  partOf: (path: string) => string,
  { signal, onProgress }: LongWorkOptions,
): Promise<void> {
  const total = disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let before = 0;
  for (const disk of disks) {
    const onPercent = (percent: number): void => {
      const done = before + Math.round((disk.sizeBytes * percent) / 100);
      onProgress?.({ phase: `restoring ${disk.key}`, done, total });
    };
    await restoreDisk({ ...disk, part: partOf(disk.path) }, { signal, onPercent });
    before += disk.sizeBytes;
  }
}

function writeFile({ content, owner }: FileTask, part: string): void {
  if (!(content instanceof Map)) {
    if (content instanceof Uint8Array) writePart(part, content, owner);
    return;
  }
  try {
    mkdirSync(part, { mode: 0o700 });
  } catch (error) {
    throw fileError('make folder', part, error);
  }
  for (const [name, bytes] of content) {
    const file = join(part, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writePart(file, bytes, owner);
  }
  syncPath(part);
}

/** For a machine with a saved state. */
export const DROPS_IT = 'restore with --fresh, which drops it too';

/** @throws {QemuError} `QEMU_MACHINE_STATE` when the machine runs. */
export function demandStopped(target: MachineRef): void {
  const located = locate(target.files);
  if (located.kind !== 'alive') return;
  const name = target.longName;
  throw new MachineStateError('QEMU_MACHINE_STATE', `Cannot restore machine "${name}" while it runs`, 'running', {
    hint: `stop it first: qemu-init stop ${name}; or restore a copy: --as NAME`,
  });
}
