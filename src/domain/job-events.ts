import { QemuError } from '../errors.ts';
import type { QmpEvent } from '../qmp/event.ts';
import type { Domain } from './domain.ts';

/** How long a job may take. */
export interface JobOptions {
  /** Milliseconds; five minutes if not given. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT_MS = 300_000;

const JOB_EVENTS = ['BLOCK_JOB_READY', 'BLOCK_JOB_COMPLETED', 'BLOCK_JOB_CANCELLED'];

/**
 * Starts a job and waits until it is ready, or has ended by itself, which a commit of an inner layer does.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when it ends with an error or is cancelled, `QEMU_TIMEOUT`.
 */
export async function startJob(
  domain: Domain,
  id: string,
  command: string,
  args: Readonly<Record<string, unknown>>,
  options: JobOptions,
): Promise<void> {
  const event = await afterCommand(domain, id, command, { ...args, 'job-id': id }, options, () => true);
  failOnError(id, event);
  if (event.event === 'BLOCK_JOB_CANCELLED') throw new QemuError('QEMU_COMMAND_FAILED', `Job "${id}" was cancelled`);
}

/**
 * Sends a command that ends a job and waits for the end. Before it is ready a job that is cancelled says so with
 * BLOCK_JOB_CANCELLED, afterwards with BLOCK_JOB_COMPLETED.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when it ends with an error, `QEMU_TIMEOUT`.
 */
export async function endJob(
  domain: Domain,
  id: string,
  command: string,
  args: Readonly<Record<string, unknown>>,
  options: JobOptions,
): Promise<void> {
  const event = await afterCommand(domain, id, command, args, options, ({ event }) => event !== 'BLOCK_JOB_READY');
  failOnError(id, event);
}

/** Listens before it sends: a job may be over before the command is answered. */
async function afterCommand(
  domain: Domain,
  id: string,
  command: string,
  args: Readonly<Record<string, unknown>>,
  { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: JobOptions,
  wanted: (event: QmpEvent) => boolean,
): Promise<QmpEvent> {
  const since = domain.client.eventCount;
  const stop = new AbortController();
  const ended = domain.client.waitForEvent(
    (event) => JOB_EVENTS.includes(event.event) && event.data['device'] === id && wanted(event),
    undefined,
    { since, timeoutMs, signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal },
  );
  // Looked at below, unless the command itself fails.
  ended.catch(() => {});
  try {
    await domain.run(command, args, { timeoutMs, signal });
  } catch (error) {
    stop.abort();
    throw error;
  }
  return ended;
}

/** BLOCK_JOB_COMPLETED with an `error` is a failure (QEMU QMP reference, BLOCK_JOB_COMPLETED). */
function failOnError(id: string, event: QmpEvent): void {
  const { error } = event.data;
  if (typeof error === 'string') throw new QemuError('QEMU_COMMAND_FAILED', `Job "${id}" failed: ${error}`);
}
