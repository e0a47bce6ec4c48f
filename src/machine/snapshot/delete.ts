import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { doWork } from '../work/do-work.ts';
import { deleteInside } from './delete-inside.ts';
import { refuseSavedDisks } from './saved-disks.ts';
import { snapshotsIn } from './snapshot-disks.ts';
import { forgetSnapshot } from './snapshot-notes.ts';
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
 * Deletes a snapshot from all images of a machine that runs or does not.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when there is none of that name; `QEMU_LOCKED`, `QEMU_QMP_REFUSED`,
 * `QEMU_ABORTED`.
 */
export async function deleteSnapshot(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  name: string,
  signal?: AbortSignal,
): Promise<DeletedSnapshot> {
  const began = performance.now();
  refuseSavedDisks(target, 'delete a snapshot');
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
          work.note({ data: { name, hasBegun: true } });
          await deleteInside(images, name);
          forgetSnapshot(target.files, name);
          return keys;
        },
      ),
    signal,
  );
  return { snapshot: name, disks, seconds: Math.round(performance.now() - began) / 1000 };
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
