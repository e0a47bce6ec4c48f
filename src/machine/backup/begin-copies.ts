import type { MachineContext, MachineRef } from '../context.ts';
import { type CopyOptions, type Target, transactionOf } from '../copy/transaction.ts';
import { type Quiesce, whileQuiet } from '../quiesce/quiesce.ts';
import { isPulledPlug, readLastRun } from '../run/last-run.ts';
import { ANSWER_MS, type BackupContext } from './backup-context.ts';

/** How copies begin. */
export interface BeginOptions extends CopyOptions {
  readonly quiesce: Quiesce;
  readonly signal: AbortSignal | undefined;
}

/** The instant that a point is of. */
export interface Instant {
  /** ISO 8601. */
  readonly at: string;
  readonly quiesced: boolean;
  readonly qemuVersion: string;
}

/**
 * The instant of the backup: all copies and bitmaps begin, or none.
 *
 * @throws {QemuError} as {@link whileQuiet}; `QEMU_QMP_REFUSED`, and what a visit throws.
 */
export async function beginCopies(
  { host, target, access }: BackupContext,
  targets: readonly Target[],
  chain: string,
  { quiesce, signal, ...options }: BeginOptions,
): Promise<Instant> {
  return access.visit(async (domain) => {
    const transact = async (): Promise<string> => {
      await domain.run('transaction', transactionOf(targets, chain, options), { timeoutMs: ANSWER_MS });
      return new Date().toISOString();
    };
    const qemuVersion = domain.version();
    if (!access.isRunning) return { quiesced: wasShutDown(host, target), at: await transact(), qemuVersion };
    const { value: at, quiesced } = await whileQuiet(
      host,
      target,
      { quiesce, client: domain.client, signal },
      transact,
    );
    return { quiesced, at, qemuVersion };
  });
}

/** A guest that has shut down has nothing in memory that is not on its disks. */
function wasShutDown({ paths }: MachineContext, { longName }: MachineRef): boolean {
  const end = readLastRun(paths, longName);
  return end === undefined || (!isPulledPlug(end) && end.cause === 'guest-shutdown');
}
