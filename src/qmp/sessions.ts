import { setTimeout as delay } from 'node:timers/promises';
import { checkTimeout, listenForAbort } from '../base/abort.ts';
import { errorCode } from '../base/errors.ts';
import type { QmpAddress } from './address.ts';
import { QmpClient } from './client.ts';
import { abortedError } from './command.ts';

/** How {@link openSessions} goes on. */
export interface SessionsOptions {
  /** Longest time in milliseconds without a connection; default: 60 s; `Infinity` to go on until aborted. */
  readonly giveUpAfterMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A QEMU that ends and starts again makes these. The others will not get better. */
const PASSING_CODES: readonly (string | undefined)[] = ['QEMU_QMP_CONNECT', 'QEMU_QMP_CLOSED', 'QEMU_TIMEOUT'];
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

/**
 * Connects to a monitor, and again whenever the connection is lost: a new client each time, greeted and negotiated anew.
 * Events between two clients are lost and nothing is sent again, so begin each round with queries. Ends after a client
 * was closed or quit by its user; leaving the loop closes the client.
 *
 * @throws {QemuError} QEMU_QMP_CONNECT and others of {@link QmpClient.open} when there is no connection for too long,
 * QEMU_ABORTED.
 * @example
 * for await (const client of openSessions({ kind: 'unix', path })) {
 *   console.log(await client.execute('query-status'));
 *   for await (const event of client.events()) console.log(event);
 * }
 */
export async function* openSessions(address: QmpAddress, options: SessionsOptions = {}): AsyncGenerator<QmpClient> {
  for (;;) {
    const client = await connectPatiently(address, options);
    const ignoreSignal = listenForAbort(options.signal, () => void client.close());
    try {
      yield client;
      const end = await client.closed;
      if (options.signal?.aborted === true) throw abortedError('Following a monitor was aborted', options.signal);
      if (end.kind !== 'lost') return;
    } finally {
      ignoreSignal();
      await client.close();
    }
  }
}

async function connectPatiently(
  address: QmpAddress,
  { giveUpAfterMs = 60_000, signal }: SessionsOptions,
): Promise<QmpClient> {
  const deadlineMs = performance.now() + checkTimeout(giveUpAfterMs, 'giveUpAfterMs');
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const leftMs = deadlineMs - performance.now();
    try {
      return await QmpClient.connect(address, { timeoutMs: Math.max(0, Math.min(LONGEST_PAUSE_MS, leftMs)), signal });
    } catch (error) {
      if (!PASSING_CODES.includes(errorCode(error)) || performance.now() + pauseMs > deadlineMs) throw error;
    }
    await pause(pauseMs, signal);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    throw abortedError('Following a monitor was aborted', signal);
  }
}
