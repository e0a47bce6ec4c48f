import { lstatSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import type { MachineManager } from '../../fleet/machine-manager.ts';
import { unregisterMachine } from '../../fleet/register.ts';
import { removeStartFailure } from '../../fleet/service/start-failure.ts';
import type { MachineRef } from '../../machine/context.ts';
import { cleanUpCrashed } from '../../machine/run/clean-up.ts';
import { exclusively } from '../../machine/run/run-lock.ts';
import { refuseDuringWork } from '../../machine/work/do-work.ts';
import { isThere, removeIfExists } from '../../system/files/files.ts';
import { inFolderOf, placeWithoutLinks } from '../../system/files/held-folder.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import { type DeletedFile, planDeletion } from './delete-plan.ts';

/** How to delete a machine. */
export interface DeleteOptions {
  readonly keepDisks?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes a machine that does not run: its file, disks, state, logs, data for cloud-init, addresses and its line in the
 * registry. Files that another machine uses stay, and base images; see {@link planDeletion}. A deletion that was
 * interrupted can be repeated.
 *
 * @returns what has gone, and what has stayed.
 * @throws {QemuError} `QEMU_STOP_FAILED` while it runs, `QEMU_LOCKED`, `QEMU_IO`, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function deleteMachine(
  fleet: MachineManager,
  target: MachineRef,
  options: DeleteOptions = {},
): Promise<readonly DeletedFile[]> {
  const { signal } = options;
  const { longName, configPath } = target;
  refuseRunning(fleet, target);
  await refuseDuringWork(fleet.host, target, signal);
  const plan = await exclusively(fleet.host, target, { purpose: 'delete', signal }, async () => {
    refuseRunning(fleet, target);
    await cleanUpCrashed(fleet.host, target);
    const planned = planDeletion(fleet, target, options);
    // Last, so that a deletion that is interrupted can be repeated.
    for (const file of planned) if (file.kept === undefined && file.kind !== 'cfg') remove(file.path);
    return planned;
  });
  removeStartFailure(fleet.host.paths, longName);
  await unregisterMachine(fleet, target.shortName ?? configPath);
  removeIfExists(configPath);
  return plan;
}

/** A link that another user has put on the way since it was looked at does not lead this to another file. */
function remove(path: string): void {
  if (!isThere(path)) return;
  inFolderOf(placeWithoutLinks(path), (held) => {
    if (lstatSync(held, { throwIfNoEntry: false })?.isDirectory()) removeTree(held);
    else removeIfExists(held);
  });
}

function refuseRunning(fleet: MachineManager, target: MachineRef): void {
  if (!fleet.isAlive(target)) return;
  throw new QemuError('QEMU_STOP_FAILED', `Cannot delete "${target.longName}" while it runs`, {
    hint: `stop it first: qemu-init stop ${target.longName}`,
  });
}
