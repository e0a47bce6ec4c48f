import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { doWork, refuseDuringWork } from '../work/do-work.ts';
import { isBelow } from './below.ts';
import { deleteInside } from './delete-inside.ts';
import { refuseDuringJobs } from './job-end.ts';
import { listSnapshots } from './list.ts';
import { mergeLayer } from './outside/merge-layer.ts';
import { refuseSavedDisks } from './saved-disks.ts';
import { snapshotsIn } from './snapshot-disks.ts';
import { forgetSnapshot, readSnapshotNotes } from './snapshot-notes.ts';
import { withImages } from './with-images.ts';

/** What was deleted. */
export interface DeletedSnapshot {
  readonly snapshot: string;
  /** The disks that had it. */
  readonly disks: readonly string[];
  readonly seconds: number;
}

/** What its kind of work has to know: see `delete-work.ts`. */
export const DELETE_WORK = 'snapshot-delete';

/**
 * Deletes a snapshot of a machine that runs or does not: inside its images from all of them; an external one by merging its
 * overlays into what they rest on.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when there is none of that name; `QEMU_LOCKED`, `QEMU_QMP_REFUSED`,
 * `QEMU_ABORTED`.
 */
export async function deleteSnapshot(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  name: string,
  options: LongWorkOptions = {},
): Promise<DeletedSnapshot> {
  const { signal } = options;
  const began = performance.now();
  const secondsSoFar = (): number => Math.round(performance.now() - began) / 1000;
  refuseSavedDisks(target, 'delete a snapshot');
  const outside = readSnapshotNotes(target.files).find((note) => note.name === name && note.layers.length > 0);
  if (outside) {
    await refuseDuringWork(host, target, signal);
    // One after the other: each is whole when it is done, whatever becomes of the others.
    for (const layer of outside.layers) await mergeLayer({ host, target, config, options }, layer);
    return { snapshot: name, disks: outside.layers.map(({ key }) => key), seconds: secondsSoFar() };
  }
  const hidden = listSnapshots(host, target, config).find((each) => each.name === name)?.below;
  if (hidden !== undefined) throw isBelow(target, name, hidden);
  const plan = { kind: DELETE_WORK, what: `deleting snapshot "${name}"`, data: { name } };
  const disks = await doWork(
    host,
    target,
    plan,
    (work) =>
      withImages(
        host,
        target,
        config,
        signal,
        (all) => all.filter(({ key }) => holdersOf(all, target, name).includes(key)),
        async (images) => {
          const keys = holdersOf(images.disks, target, name);
          // Else it would be gone from the disks before the one that a job is at work on.
          if (images.isRunning) await refuseDuringJobs(images.domain, 'delete a snapshot');
          work.note({ data: { name, hasBegun: true } });
          await deleteInside(images, name);
          forgetSnapshot(target.files, name);
          return keys;
        },
      ),
    signal,
  );
  return { snapshot: name, disks, seconds: secondsSoFar() };
}

function holdersOf(disks: Parameters<typeof snapshotsIn>[0], target: MachineRef, name: string): string[] {
  const holders = snapshotsIn(disks).get(name);
  if (holders) return [...holders.keys()];
  throw unknownSnapshot(target, name);
}

/** The error of a snapshot that a machine does not have. */
export function unknownSnapshot({ longName }: MachineRef, name: string): QemuError {
  return new QemuError('QEMU_COMMAND_FAILED', `Machine "${longName}" has no snapshot "${name}"`, {
    hint: `see: qemu-init snapshot list ${longName}`,
  });
}
