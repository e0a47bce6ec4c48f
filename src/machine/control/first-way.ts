import { delay, startDeadline } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';

/** Something that can be opened, and has to be closed when another was faster. */
export interface Closable {
  readonly close: () => Promise<void>;
}

/** One of several ways to the same thing. */
export interface Way<T extends Closable> {
  /** For messages, such as `control port 30420`. */
  readonly name: string;
  /** May take until the signal comes, which it does at the deadline. */
  readonly open: (signal: AbortSignal, timeoutMs: number) => Promise<T>;
}

/** What was opened, and by which way. */
export interface Opened<T> {
  readonly value: T;
  readonly way: string;
  /** Why the ways before it were not taken; none when it was the first. */
  readonly passed: readonly string[];
}

export interface FirstWayOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A monitor that is free greets within milliseconds. Past this the next way is tried as well, and the first that opens
 * is taken.
 */
const NEXT_AFTER_MS = 250;
/**
 * That time is counted in slices: one that takes longer shows that this process is busy, perhaps with a hundred
 * machines.
 */
const SLICE_MS = 50;
/** Pause before a way that has failed is tried again. */
const AGAIN_MS = 50;

/**
 * Opens the first of several ways that can be opened. A way that is refused makes the next be tried at once; one that
 * stays silent makes it be tried in parallel, soon. All are tried until the time is up: a client that holds one may let
 * go.
 *
 * @throws {QemuError} `QEMU_TIMEOUT` with what kept each way from being opened; what all ways failed with when none of
 * them will get better (see {@link isPassing}); `QEMU_ABORTED`.
 */
export async function openFirst<T extends Closable>(
  what: string,
  ways: readonly Way<T>[],
  { timeoutMs, signal }: FirstWayOptions,
): Promise<Opened<T>> {
  const deadline = performance.now() + timeoutMs;
  const over = new AbortController();
  const stop = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const attempts = ways.map((way): Attempt<T> => ({ way, failure: undefined, isOver: false }));
  let turn = Promise.resolve();
  const tries = attempts.map(async (attempt) => {
    const myTurn = turn;
    let fail = (): void => {};
    const hasFailed = new Promise<void>((resolve) => {
      fail = resolve;
    });
    turn = myTurn.then(() => Promise.race([hasFailed, silence(stop)]));
    await myTurn;
    return { attempt, value: await insist(attempt, deadline, stop, fail) };
  });
  const late = startDeadline(timeoutMs, () => over.abort());
  try {
    const first = await Promise.any(tries);
    // One that opens after that is closed, so that it blocks no other client.
    for (const each of tries)
      void each.then(
        (late) => (late === first ? undefined : late.value.close()),
        () => {},
      );
    const passed = attempts.slice(0, attempts.indexOf(first.attempt)).map(describe);
    return { value: first.value, way: first.attempt.way.name, passed };
  } catch {
    if (!signal?.aborted) throw failureOf(what, attempts);
    throw new QemuError('QEMU_ABORTED', `Connecting to ${what} was aborted`, { cause: signal.reason });
  } finally {
    clearTimeout(late);
    over.abort();
  }
}

/** Errors of a peer that is busy, starting or ending. Others are permanent. */
export function isPassing(error: unknown): error is QemuError {
  return error instanceof QemuError && PASSING.includes(error.code);
}

const PASSING: readonly string[] = ['QEMU_TIMEOUT', 'QEMU_QMP_CONNECT', 'QEMU_QMP_CLOSED', 'QEMU_IO'];

async function silence(stop: AbortSignal): Promise<void> {
  for (let ms = 0; ms < NEXT_AFTER_MS && !stop.aborted; ms += SLICE_MS) await delay(SLICE_MS, stop).catch(() => {});
}

interface Attempt<T extends Closable> {
  readonly way: Way<T>;
  failure: unknown;
  isOver: boolean;
}

/** Tries one way until it opens. Throws when it will not, or need not any more. */
async function insist<T extends Closable>(
  attempt: Attempt<T>,
  deadline: number,
  stop: AbortSignal,
  fail: () => void,
): Promise<T> {
  for (;;) {
    stop.throwIfAborted();
    try {
      return await attempt.way.open(stop, Math.max(1, deadline - performance.now()));
    } catch (error) {
      stop.throwIfAborted();
      attempt.failure = error;
      attempt.isOver = !isPassing(error);
      fail();
      if (attempt.isOver || performance.now() + AGAIN_MS >= deadline) throw error;
    }
    await delay(AGAIN_MS, stop);
  }
}

function failureOf<T extends Closable>(what: string, attempts: readonly Attempt<T>[]): unknown {
  const [{ failure } = { failure: undefined }] = attempts;
  if (attempts.length === 1 && failure !== undefined) return failure;
  const hopeless = attempts.find(({ isOver }) => isOver);
  if (hopeless && attempts.every(({ isOver }) => isOver)) return hopeless.failure;
  return new QemuError('QEMU_TIMEOUT', `Cannot reach ${what}: ${attempts.map(describe).join('; ')}`, {
    hint: 'a monitor serves one client at a time: another client may hold it, or QEMU is busy or stopped by a signal',
  });
}

function describe<T extends Closable>({ way, failure }: Attempt<T>): string {
  return `${way.name}: ${reasonOf(failure)}`;
}

/**
 * In few words; the error itself repeats the address, and of a file system that was cleared all that counts is that it
 * is gone.
 */
function reasonOf(error: unknown): string {
  if (error === undefined) return 'no answer';
  if (!(error instanceof QemuError)) return error instanceof Error ? error.message : 'failed';
  if (error.code === 'QEMU_TIMEOUT') return 'no answer';
  const cause = error.cause instanceof Error ? error.cause : undefined;
  const code = cause && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return 'missing';
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'EAGAIN') return 'no answer, and other clients are waiting for it';
  return error.message;
}
