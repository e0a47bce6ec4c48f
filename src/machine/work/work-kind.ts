import type { QmpClient } from '../../qmp/client.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import type { WorkRecord } from './work-record.ts';

/** Unfinished work, with what is needed to end it. */
export interface Leftover {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly record: WorkRecord;
  /** Connection to the machine's QEMU; undefined: it does not run. */
  readonly client: QmpClient | undefined;
  /** Whether jobs that still run are to be cancelled; else they are left alone. */
  readonly cancel: boolean;
  /** Milliseconds for each answer of QEMU. */
  readonly timeoutMs: number;
}

/** What became of unfinished work. */
export interface Settled {
  /**
   * `finished`: all of it is done; `undone`: all is as before it; `running`: its jobs go on inside QEMU, and nothing was
   * changed.
   */
  readonly outcome: 'finished' | 'undone' | 'running';
  /** For people, after the description of the work: why it was undone, or how far it is. */
  readonly detail?: string | undefined;
}

/**
 * How work of a kind is set right after its command was killed, or gave up: at any step, with QEMU running or gone, and
 * again when this itself is interrupted. It must not trust the record about what happened, only the facts: jobs, files,
 * the machine's file.
 */
export interface WorkKind {
  readonly settle: (leftover: Leftover) => Promise<Settled>;
}
