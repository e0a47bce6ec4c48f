import type { MachineConfig } from '../../config/types.ts';
import { Domain } from '../../domain/domain.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withControl } from '../control/control-port.ts';
import { locate } from '../run/locate.ts';
import { exclusively } from '../run/run-lock.ts';
import { disksOfQemu, type SnapshotDisk } from './snapshot-disks.ts';
import { type OpenImages, withStoppedImages } from './stopped-images.ts';

const CONTROL_MS = 10_000;

/**
 * Does something with the images of a machine: over the monitor of its QEMU when it runs, else with a storage daemon,
 * and no start comes in between.
 *
 * @param pick which disks are needed when it does not run; the others, such as raw ones, are not opened. May refuse.
 * @throws {QemuError} as {@link withControl} and {@link withStoppedImages}; and what `pick` and `work` throw.
 */
export async function withImages<T>(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  signal: AbortSignal | undefined,
  pick: (disks: readonly SnapshotDisk[]) => readonly SnapshotDisk[],
  work: (images: OpenImages) => Promise<T>,
): Promise<T> {
  if (locate(target.files).kind === 'alive') {
    return withControl(host, target, { timeoutMs: CONTROL_MS, signal }, async (client) => {
      const domain = new Domain(client, target.longName);
      return work({ domain, isRunning: true, disks: await disksOfQemu(domain, config, target.files) });
    });
  }
  return exclusively(host, target, { purpose: 'snapshot', signal }, () =>
    withStoppedImages(host, target, config, signal, pick, work),
  );
}
