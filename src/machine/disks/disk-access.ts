import { Domain } from '../../domain/domain.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withOwnMonitor } from '../control/control-port.ts';

/** A way to what has a machine's disks open: its QEMU, or a storage daemon. */
export interface DiskAccess {
  /** Whether the machine runs. */
  readonly isRunning: boolean;
  /**
   * Does something over QMP. Not to be held while a job runs: in between, other commands use the same socket.
   *
   * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT`, and what `work` throws.
   */
  readonly use: <T>(work: (domain: Domain) => Promise<T>) => Promise<T>;
}

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const MONITOR_MS = 20_000;

/** The QEMU of a machine, by a short connection each time. */
export function runningDisks(host: MachineContext, target: MachineRef, signal?: AbortSignal): DiskAccess {
  return {
    isRunning: true,
    use: (work) =>
      withOwnMonitor(host, target, { timeoutMs: MONITOR_MS, signal }, (client) =>
        work(new Domain(client, target.longName)),
      ),
  };
}

/** A storage daemon. */
export function daemonDisks(domain: Domain): DiskAccess {
  return { isRunning: false, use: (work) => work(domain) };
}
