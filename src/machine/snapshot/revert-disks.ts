import type { BeginPhase } from '../../base/phases.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { revertTpm } from '../tpm/snapshot-tpm.ts';
import { applySnapshot } from './apply.ts';
import { removeBitmaps } from './bitmaps.ts';
import { deleteInside } from './delete-inside.ts';
import { type SnapshotDisk, snapshotsIn } from './snapshot-disks.ts';
import { withStoppedImages } from './stopped-images.ts';

/** What the disks were before a revert, until all of them are reverted. */
export const BEFORE_REVERT = 'qemu-init: before the revert';

/** A machine that does not run, under its lock. */
export interface StoppedMachine {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
}

function holders(disks: readonly SnapshotDisk[], name: string): SnapshotDisk[] {
  const found = snapshotsIn(disks).get(name);
  return disks.filter(({ key }) => found?.has(key));
}

/**
 * Reverts all disks that have a snapshot, or none of them: until all are, what they were is kept in another snapshot.
 *
 * @param hasBegun called before anything is changed.
 * @param phase told of each step.
 * @throws {QemuError} as {@link applySnapshot}; all is as before then.
 */
export async function revertDisks(
  machine: StoppedMachine,
  name: string,
  hasBegun: () => void,
  phase: BeginPhase = () => {},
): Promise<void> {
  phase('keeping what the disks are until all are reverted');
  const disks = await keepPresent(machine, name, hasBegun);
  try {
    await applySnapshot(machine.target, machine.config, disks, name, phase);
    revertTpm(machine.host, machine.target, machine.config, name);
  } catch (error) {
    await undoRevert(machine);
    throw error;
  }
  phase('dropping what the disks were');
  await forgetPresent(machine);
}

/** Ends a revert that was interrupted at any step: forward. */
export async function finishRevert(machine: StoppedMachine, name: string): Promise<void> {
  await revertDisks(machine, name, () => {});
}

/** Makes the disks what they were before a revert. May be repeated. */
export async function undoRevert(machine: StoppedMachine): Promise<void> {
  const disks = await withHolders(machine, BEFORE_REVERT, async (found) => found);
  if (disks.length > 0) await applySnapshot(machine.target, machine.config, disks, BEFORE_REVERT);
  await forgetPresent(machine);
}

/** Keeps what the disks are, unless an interrupted revert has done that. Returns the disks to be reverted. */
function keepPresent(machine: StoppedMachine, name: string, hasBegun: () => void): Promise<readonly SnapshotDisk[]> {
  const { host, target, config } = machine;
  const pick = (disks: readonly SnapshotDisk[]): SnapshotDisk[] => holders(disks, name);
  return withStoppedImages(host, target, config, undefined, pick, async ({ domain, disks }) => {
    const chosen = pick(disks);
    const kept = new Set(holders(disks, BEFORE_REVERT).map(({ key }) => key));
    const nodes = chosen.map(({ node }) => node);
    hasBegun();
    await removeBitmaps(domain, nodes);
    if (chosen.every(({ key }) => kept.has(key))) return chosen;
    // Of some only: it was cut off while it was made, and no disk is reverted yet.
    await deleteInside({ domain, disks: chosen }, BEFORE_REVERT);
    const actions = nodes.map((device) => ({
      type: 'blockdev-snapshot-internal-sync',
      data: { device, name: BEFORE_REVERT },
    }));
    await domain.run('transaction', { actions });
    return chosen;
  });
}

async function forgetPresent(machine: StoppedMachine): Promise<void> {
  await withHolders(machine, BEFORE_REVERT, async () => {}, true);
}

async function withHolders<T>(
  { host, target, config }: StoppedMachine,
  name: string,
  work: (disks: readonly SnapshotDisk[]) => Promise<T>,
  isDeleted = false,
): Promise<T> {
  const pick = (disks: readonly SnapshotDisk[]): SnapshotDisk[] => holders(disks, name);
  return withStoppedImages(host, target, config, undefined, pick, async ({ domain, disks }) => {
    if (isDeleted) await deleteInside({ domain, disks: pick(disks) }, name);
    return work(pick(disks));
  });
}
