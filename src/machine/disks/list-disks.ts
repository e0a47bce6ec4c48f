import type { MachineConfig } from '../../config/types.ts';
import { Domain } from '../../domain/domain.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withOwnMonitor } from '../control/control-port.ts';
import { locate } from '../run/locate.ts';
import type { DiskNow } from './disk-layer.ts';
import { diskNodes } from './disk-nodes.ts';
import { stoppedDisks } from './stopped-disks.ts';

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const MONITOR_MS = 10_000;

/** The disks of a machine, and whether it is QEMU who says so. */
export interface DiskList {
  /** Whether the machine runs. */
  readonly running: boolean;
  readonly disks: readonly DiskNow[];
}

/**
 * The disks of a machine: of one that runs as QEMU has them, else as its images on this host are.
 *
 * @throws {QemuError} `QEMU_TIMEOUT` when QEMU does not answer; as {@link stoppedDisks}; `QEMU_ABORTED`.
 */
export async function listDisks(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  signal?: AbortSignal,
): Promise<DiskList> {
  if (locate(target.files).kind !== 'alive') return { running: false, disks: await stoppedDisks(host, config, signal) };
  const limits = { timeoutMs: MONITOR_MS, signal };
  const disks = await withOwnMonitor(host, target, limits, (client) =>
    diskNodes(new Domain(client, target.longName), limits),
  );
  return { running: true, disks };
}
