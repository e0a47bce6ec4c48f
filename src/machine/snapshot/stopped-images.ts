import type { MachineConfig } from '../../config/types.ts';
import type { Domain } from '../../domain/domain.ts';
import { type MachineContext, type MachineRef, notStopped } from '../context.ts';
import { locate } from '../run/locate.ts';
import { withStorageDaemon } from '../storage-daemon/storage-daemon.ts';
import { disksOfConfig, type SnapshotDisk, VARIABLES_NODE } from './snapshot-disks.ts';

/** The images of a machine, open in its QEMU or in a storage daemon. */
export interface OpenImages {
  readonly domain: Domain;
  readonly isRunning: boolean;
  readonly disks: readonly SnapshotDisk[];
}

/**
 * Does something with the images of a machine that does not run, with a storage daemon.
 *
 * @throws {QemuError} as {@link withStorageDaemon}; `QEMU_MACHINE_STATE` when it runs.
 */
export async function withStoppedImages<T>(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  signal: AbortSignal | undefined,
  pick: (disks: readonly SnapshotDisk[]) => readonly SnapshotDisk[],
  work: (images: OpenImages) => Promise<T>,
): Promise<T> {
  if (locate(target.files).kind === 'alive') throw notStopped(target);
  const disks = disksOfConfig(host, config, target.files);
  const needed = pick(disks);
  const numbers = needed.flatMap(({ key }) => (key.startsWith('DSK') ? [Number(key.slice(3))] : []));
  return withStorageDaemon(host, target, config, { signal, disks: numbers }, async ({ domain }) => {
    const variables = needed.find(({ key }) => key === 'FIRMWARE');
    if (variables) await openVariables(domain, variables);
    return work({ domain, isRunning: false, disks });
  });
}

async function openVariables(domain: Domain, { file, format }: SnapshotDisk): Promise<void> {
  const below = { driver: 'file', filename: file };
  await domain.run('blockdev-add', { driver: format, 'node-name': VARIABLES_NODE, file: below });
}
