import { delay } from '../../base/abort.ts';
import { MachineStateError, QemuError } from '../../base/errors.ts';
import { parseCombination } from '../../domain/keyboard/key-names.ts';
import { type Stroke, strokesFor } from '../../domain/keyboard/strokes.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withOwnMonitor } from '../control/control-port.ts';
import { queryState } from '../control/query-state.ts';
import { describeState } from '../control/run-state.ts';

/** How keys are pressed. */
export interface KeyOptions {
  /** Milliseconds for which each key is held down (default: 100, for text 30). */
  readonly holdMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const ANSWER_MS = 10_000;
const HOLD_MS = 100;
/** A guest that is emulated takes some time for each key, and its keyboard keeps only a few that it has not taken. */
const TYPE_HOLD_MS = 30;
/** Between two strokes. */
const PAUSE_MS = 10;
/** Other commands have their turn at the monitor after that. */
const VISIT_MS = 500;
const MOST_HOLD_MS = 60_000;
/** Typing more would take minutes; files have better ways. */
const MOST_STROKES = 10_000;

/**
 * Presses combinations of keys, such as `ctrl-alt-delete`, one after the other.
 *
 * @throws {QemuError} `QEMU_USAGE` for keys that do not exist; `QEMU_MACHINE_STATE` when the guest does not run, since
 * keys would be lost; `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT`, `QEMU_ABORTED`.
 */
export async function sendKeys(
  host: MachineContext,
  target: MachineRef,
  combinations: readonly string[],
  { holdMs = HOLD_MS, signal }: KeyOptions = {},
): Promise<void> {
  await press(host, target, combinations.map(parseCombination), holdMs, signal);
}

/**
 * Types a text on the keyboard of a guest that has that layout; a line feed is Enter.
 *
 * @param layout `en-us`, `en-gb`, `de` or `fr`.
 * @returns how many strokes it took.
 * @throws {QemuError} `QEMU_USAGE`, before anything is typed, for characters that the layout does not have and for a
 * layout that is not known; otherwise as {@link sendKeys}.
 */
export async function typeText(
  host: MachineContext,
  target: MachineRef,
  text: string,
  layout: string,
  { holdMs = TYPE_HOLD_MS, signal }: KeyOptions = {},
): Promise<number> {
  const strokes = strokesFor(text, layout);
  await press(host, target, strokes, holdMs, signal);
  return strokes.length;
}

async function press(
  host: MachineContext,
  target: MachineRef,
  strokes: readonly Stroke[],
  holdMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!Number.isInteger(holdMs) || holdMs < 1 || holdMs > MOST_HOLD_MS) {
    throw new QemuError('QEMU_USAGE', `holdMs must be a whole number from 1 to ${MOST_HOLD_MS}, not ${holdMs}`);
  }
  if (strokes.length > MOST_STROKES) {
    throw new QemuError('QEMU_USAGE', `The text takes ${strokes.length} strokes, more than ${MOST_STROKES}`);
  }
  const limits = { timeoutMs: ANSWER_MS, signal };
  for (let at = 0; at < strokes.length || at === 0; ) {
    at = await withOwnMonitor(host, target, limits, (client) => pressSome(client, target, strokes, at, holdMs, signal));
  }
}

/** Presses as many as fit into one visit. Returns the index of the next one; at the end, one that is past all. */
async function pressSome(
  client: QmpClient,
  target: MachineRef,
  strokes: readonly Stroke[],
  from: number,
  holdMs: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const limits = { timeoutMs: ANSWER_MS, signal };
  await refuseUnlessRunning(client, target);
  const until = performance.now() + VISIT_MS;
  let at = from;
  for (; at < strokes.length && (at === from || performance.now() < until); at += 1) {
    const keys = (strokes[at] ?? []).map((data) => ({ type: 'qcode', data }));
    await client.executeRaw('send-key', { keys, 'hold-time': holdMs }, limits);
    await delay(holdMs + PAUSE_MS, signal);
  }
  return Math.max(1, at);
}

/** QEMU takes keys for a guest that stands still, and drops them. */
async function refuseUnlessRunning(client: QmpClient, { longName }: MachineRef): Promise<void> {
  const state = await queryState(client, { timeoutMs: ANSWER_MS });
  // A key wakes a guest that sleeps.
  if (state === 'running' || state === 'suspended') return;
  throw new MachineStateError(
    'QEMU_MACHINE_STATE',
    `Machine "${longName}" is ${describeState(state)}: keys would be lost`,
    state,
  );
}
