import { delay, endsWithin } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { asNumber, asRecord, asText } from '../../base/guards.ts';
import type { OnProgress } from '../../base/progress.ts';
import { oneLine } from '../../base/text.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { Checksum } from '../../system/files/checksum.ts';
import type { SocketToFile } from '../../system/files/socket-to-file.ts';
import { stopIfMemoryGetsLost } from './memory-loss.ts';

/** How to have QEMU send its state. */
export interface SendStateOptions {
  /** Where the receiver listens. */
  readonly socket: string;
  readonly receiver: Pick<SocketToFile, 'failure' | 'receivedBytes' | 'ended' | 'finish'>;
  /** More than QEMU has to send. */
  readonly mostBytes: number;
  /** How long nothing may come (default: 10 minutes). */
  readonly silenceMs?: number | undefined;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
}

/** For each answer of QEMU; it is silent while it writes the last part. */
const ANSWER_MS = 60_000;
const FIRST_LOOK_MS = 10;
const LOOK_MS = 100;
/** More than any disk: the guest is not meant to be spared. A JSON number has 53 bits. */
const ANY_BANDWIDTH = 2 ** 42;
/** QEMU goes through the memory again and again while the guest changes it: after so often the guest is stopped. */
const MOST_PASSES = 2;

/** No disk stands still for so long: a guest has captured QEMU, which says that it goes on. */
const SILENCE_MS = 600_000;
/** Less than this in that time is as good as nothing. */
const LEAST_BYTES = 1024 ** 2;

/** The program that receives has closed its socket, but is not gone yet. */
const LAST_WORDS_MS = 5000;

/** Waiting for the last bytes after QEMU has said that it is done. */
const LAST_BYTES_MS = 600_000;

/**
 * Has QEMU send its guest's state to the receiver. When this returns the guest stands still, and its disks are flushed
 * and let go of. When it throws, the caller has to cancel what goes on.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when QEMU cannot, `QEMU_IO` when there is no room, `QEMU_TIMEOUT`, `QEMU_ABORTED`.
 */
export async function sendState(client: QmpClient, options: SendStateOptions): Promise<Checksum> {
  const { receiver, socket, signal } = options;
  const limits = { timeoutMs: ANSWER_MS, signal };
  await client.executeRaw('migrate-set-parameters', { 'max-bandwidth': ANY_BANDWIDTH }, limits);
  let isStopped = await stopIfMemoryGetsLost(client, limits);
  await client.executeRaw('migrate', { uri: `unix:${socket}` }, limits);
  let lookMs = FIRST_LOOK_MS;
  const watch = watchReceived(options);
  for (;;) {
    await delay(lookMs, signal);
    lookMs = Math.min(2 * lookMs, LOOK_MS);
    if (receiver.failure !== undefined) throw receiver.failure;
    watch();
    const info = asRecord(await client.executeRaw('query-migrate', undefined, limits));
    const ram = asRecord(info['ram']);
    report(options, ram);
    const status = asText(info['status']);
    if (status === 'completed') break;
    if (status === 'failed' || status === 'cancelled' || status === 'cancelling') {
      // What went wrong is rather at this end, where it may show a moment later than QEMU sees its socket closed.
      await receiver.ended({ timeoutMs: LAST_WORDS_MS, signal });
      throw receiver.failure ?? failed(status, oneLine(asText(info['error-desc'])));
    }
    if (!isStopped && asNumber(ram['dirty-sync-count']) > MOST_PASSES) {
      isStopped = true;
      await client.executeRaw('stop', undefined, limits);
    }
  }
  return finish(options, watch);
}

/** Throws when too much comes, or next to nothing for too long. */
function watchReceived({ receiver, mostBytes, silenceMs = SILENCE_MS }: SendStateOptions): () => void {
  let last = { bytes: -1, at: 0 };
  return () => {
    const bytes = receiver.receivedBytes;
    if (bytes > mostBytes) throw failed('', `it sends more than ${mostBytes} bytes`);
    if (bytes - last.bytes >= LEAST_BYTES || last.bytes < 0) last = { bytes, at: performance.now() };
    if (performance.now() - last.at < silenceMs) return;
    const what = `QEMU has sent nothing of the state, or next to nothing, for ${silenceMs / 1000} s`;
    throw new QemuError('QEMU_TIMEOUT', what);
  };
}

function report({ onProgress, receiver }: SendStateOptions, ram: Readonly<Record<string, unknown>>): void {
  const left = asNumber(ram['remaining']);
  onProgress?.({ phase: 'saving', done: receiver.receivedBytes, total: receiver.receivedBytes + left });
}

/** What QEMU says does not end what it sends. */
async function finish({ receiver, signal }: SendStateOptions, watch: () => void): Promise<Checksum> {
  const received = receiver.finish();
  const deadline = performance.now() + LAST_BYTES_MS;
  while (!(await endsWithin(received, { timeoutMs: LOOK_MS, signal }))) {
    watch();
    if (performance.now() > deadline) {
      throw new QemuError('QEMU_TIMEOUT', 'The state could not be written to the disk in time');
    }
  }
  return received;
}

function failed(status: string, description: string): QemuError {
  const reason = description === '' ? status : description;
  return new QemuError('QEMU_COMMAND_FAILED', `QEMU could not save the state: ${reason}`);
}
