import { checkTimeout, listenForAbort, startDeadline } from '../base/abort.ts';
import { errorCode, QemuError } from '../base/errors.ts';
import { checkWholeNumber } from '../base/guards.ts';
import type { QmpAddress } from './address.ts';
import { abortedError } from './command.ts';
import type { QmpGreeting } from './message.ts';
import { QmpSession, type SessionHandlers } from './session.ts';
import { describeAddress, openStream } from './transport.ts';

const DEFAULT_CONNECT_MS = 5000;
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** What connecting may take. */
export interface QmpClientOptions {
  /** Milliseconds for dialling, greeting and negotiation together, retries included; default: 5 s. */
  readonly timeoutMs?: number | undefined;
  /** Tries again while no process listens at the address, until the deadline. */
  readonly retry?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Longest line accepted from the peer; default: 16 MiB. */
  readonly maxLineBytes?: number | undefined;
  /** Whether commands can be sent out of band (default: true). It costs the 39 bytes of a request, which QEMU reads one by one. */
  readonly outOfBand?: boolean | undefined;
}

/** A session that has been greeted and negotiated. */
export interface Connected {
  readonly session: QmpSession;
  readonly greeting: QmpGreeting;
}

/**
 * Dials, reads the greeting and negotiates, before one deadline. `stop` ends it early with its reason.
 *
 * @throws {QemuError} see {@link QmpClient.open}.
 */
export async function connectSession(
  address: QmpAddress,
  options: QmpClientOptions,
  handlers: SessionHandlers,
  stop: AbortController,
): Promise<Connected> {
  const {
    timeoutMs = DEFAULT_CONNECT_MS,
    retry = false,
    signal,
    maxLineBytes = MAX_LINE_BYTES,
    outOfBand = true,
  } = options;
  checkTimeout(timeoutMs);
  checkWholeNumber(maxLineBytes, 'maxLineBytes', 1);
  const where = describeAddress(address);
  let missing: keyof typeof TIMEOUT_HINTS = 'connection';
  const onAbort = (): void => stop.abort(abortedError(`Connecting to "${where}" was aborted`, signal));
  const onTimeout = (): void => stop.abort(timeoutError(where, missing, timeoutMs));
  const timer = startDeadline(timeoutMs, onTimeout);
  const ignoreSignal = listenForAbort(signal, onAbort);
  try {
    const stream = await openStream(address, { retry, signal: stop.signal });
    missing = 'greeting';
    const session = new QmpSession(stream, maxLineBytes, handlers);
    listenForAbort(stop.signal, () => session.fail(stop.signal.reason));
    const greeting = await session.greeting();
    missing = 'answer to "qmp_capabilities"';
    await negotiate(session, outOfBand ? greeting.capabilities : []);
    return { session, greeting };
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : explain(error, where, missing);
  } finally {
    clearTimeout(timer);
    ignoreSignal();
  }
}

/** Enables what this client can use of what is offered; QEMU refuses a capability that it did not offer. */
async function negotiate(session: QmpSession, offered: readonly string[]): Promise<void> {
  const enable = offered.filter((name) => name === 'oob');
  try {
    // The deadline of the whole connect holds here too.
    await session.send('qmp_capabilities', enable.length > 0 ? { enable } : undefined, { timeoutMs: Infinity });
  } catch (cause) {
    if (session.end !== undefined) throw session.end.error ?? cause;
    const error = new QemuError('QEMU_QMP_NEGOTIATION', 'Monitor refused "qmp_capabilities"', { cause });
    session.fail(error);
    throw error;
  }
}

function explain(cause: unknown, where: string, missing: string): unknown {
  if (errorCode(cause) !== 'QEMU_QMP_CLOSED') return cause;
  return new QemuError('QEMU_QMP_CLOSED', `Connection to "${where}" ended before the ${missing}`, { cause });
}

function timeoutError(where: string, missing: keyof typeof TIMEOUT_HINTS, timeoutMs: number): QemuError {
  const hint = TIMEOUT_HINTS[missing];
  return new QemuError('QEMU_TIMEOUT', `Monitor at "${where}" gave no ${missing} within ${Math.round(timeoutMs)} ms`, {
    hint,
  });
}

const TIMEOUT_HINTS = {
  connection: 'nothing listens there, or the host does not answer',
  greeting:
    'another client may hold this monitor, its port may want TLS, or QEMU is still starting or stopped by a signal',
  'answer to "qmp_capabilities"': 'QEMU may be busy or stopped by a signal',
};
