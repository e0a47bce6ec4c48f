import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { asNumber, asRecord, asText } from '../../base/guards.ts';
import type { OnProgress } from '../../base/progress.ts';
import { oneLine } from '../../base/text.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { sendingCapabilities } from '../state/cancel-sending.ts';
import { stopIfMemoryGetsLost } from '../state/memory-loss.ts';

/** How to send a guest to another QEMU. */
export interface SendOptions {
  readonly uri: string;
  /** Most bytes a second. */
  readonly rate: number | undefined;
  /** How long the guest may stand still for the last of its memory. */
  readonly downtimeMs: number;
  /** Limit for the memory of a guest that runs: one that changes it faster than it is sent never gets there. */
  readonly timeoutMs: number;
  /** Done before a guest is stopped that this QEMU cannot send while it runs: see {@link stopIfMemoryGetsLost}. */
  readonly beforeStop: (version: string) => void;
  /** Done when the guest stands still for the last part, before that is sent. */
  readonly beforeSwitch: (client: QmpClient, limits: ExecuteOptions) => Promise<void>;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
}

/** A guest that was sent. */
export interface Sent {
  /** When it was stopped, by the clock of this host; undefined: it stood still before. */
  readonly stoppedAtMs: number | undefined;
  readonly bytes: number;
}

/** For each answer of QEMU; it is silent while it sends the last part. */
const ANSWER_MS = 60_000;
const FIRST_LOOK_MS = 5;
const LOOK_MS = 100;
/** For the last part. */
const SWITCH_MS = 120_000;
/** More than any line. A JSON number has 53 bits. */
const ANY_BANDWIDTH = 2 ** 42;

/**
 * Has QEMU send its guest to another QEMU. When this returns the guest stands still, and its disks are flushed and let go
 * of; it is not known yet whether the other side could take it. When it throws, the caller has to cancel what goes on.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when it cannot be sent, `QEMU_TIMEOUT` for a guest that changes its memory too
 * fast, `QEMU_ABORTED`; and what `beforeSwitch` throws.
 */
export async function sendGuest(client: QmpClient, options: SendOptions): Promise<Sent> {
  const { signal, timeoutMs, uri } = options;
  const limits = { timeoutMs: ANSWER_MS, signal };
  const since = client.eventCount;
  await client.executeRaw('migrate-set-capabilities', { capabilities: sendingCapabilities(true) }, limits);
  const parameters = { 'max-bandwidth': options.rate ?? ANY_BANDWIDTH, 'downtime-limit': options.downtimeMs };
  await client.executeRaw('migrate-set-parameters', parameters, limits);
  const wasRunning = asRecord(await client.executeRaw('query-status', undefined, limits))['running'] === true;
  if (wasRunning) await stopIfMemoryGetsLost(client, limits, options.beforeStop);
  await client.executeRaw('migrate', { uri }, limits);
  await untilStatus(client, 'pre-switchover', options, performance.now() + timeoutMs);
  await options.beforeSwitch(client, limits);
  await client.executeRaw('migrate-continue', { state: 'pre-switchover' }, limits);
  const bytes = await untilStatus(client, 'completed', options, performance.now() + SWITCH_MS);
  return { bytes, stoppedAtMs: wasRunning ? await stopTime(client, since) : undefined };
}

/** Returns how many bytes were sent. */
async function untilStatus(client: QmpClient, wanted: string, options: SendOptions, deadline: number): Promise<number> {
  const { onProgress, signal } = options;
  let lookMs = FIRST_LOOK_MS;
  for (;;) {
    const info = asRecord(await client.executeRaw('query-migrate', undefined, { timeoutMs: ANSWER_MS, signal }));
    const ram = asRecord(info['ram']);
    const [done, left] = [asNumber(ram['transferred']), asNumber(ram['remaining'])];
    onProgress?.({ phase: 'moving memory', done, total: done + left });
    const status = asText(info['status']);
    if (status === wanted) return done;
    if (status === 'failed' || status === 'cancelled' || status === 'cancelling' || status === 'completed') {
      throw new QemuError(
        'QEMU_COMMAND_FAILED',
        `QEMU could not send the guest: ${oneLine(asText(info['error-desc'])) || status}`,
      );
    }
    if (performance.now() > deadline) throw tooSlow(ram, options.rate);
    await delay(lookMs, signal);
    lookMs = Math.min(2 * lookMs, LOOK_MS);
  }
}

/** Why a guest was not sent in time, by what QEMU says of its memory. Pure. */
export function tooSlow(ram: Readonly<Record<string, unknown>>, rate: number | undefined): QemuError {
  const mib = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`;
  const dirty = asNumber(ram['dirty-pages-rate']) * (asNumber(ram['page-size']) || 4096);
  const left = `The memory of the guest could not be sent in time: ${mib(asNumber(ram['remaining']))} are left`;
  // One that stands still changes nothing.
  const message = dirty === 0 ? left : `${left}, and it changes ${mib(dirty)} a second`;
  const ways = [
    'give it more time with --timeout',
    ...(rate === undefined ? [] : ['more bytes a second with --rate']),
    ...(dirty === 0 ? [] : ['let it stand still longer with --downtime']),
  ];
  return new QemuError('QEMU_TIMEOUT', message, { hint: ways.join(', or ') });
}

/** By the time stamp that QEMU has given the event, since the look at it came later. */
async function stopTime(client: QmpClient, since: number): Promise<number> {
  const { timestamp } = await client.waitForEvent('STOP', undefined, { since, timeoutMs: ANSWER_MS });
  return timestamp.seconds * 1000 + timestamp.microseconds / 1000;
}
