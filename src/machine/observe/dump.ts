import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { abortError, delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { asNumber, asRecord, asText } from '../../base/guards.ts';
import type { LongWorkOptions, OnProgress } from '../../base/progress.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { makeFifo } from '../../system/files/fifo.ts';
import { writeWhole } from '../../system/files/whole-file.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { withOwnMonitor } from '../control/control-port.ts';
import { readLaunchRecord } from '../run/launch-record.ts';
import { launchedConfig } from '../run/launched-config.ts';
import { locate } from '../run/locate.ts';
import { withScratchFolder } from '../run/scratch-folder.ts';
import { dumpPieces, mostDumped } from './dump-pieces.ts';

/** A dump that is whole. */
export interface DumpResult {
  readonly sizeBytes: number;
}

/** How to dump. */
export interface DumpOptions extends LongWorkOptions {
  /** How long QEMU may write nothing, or less than a MiB (default: 60 s). */
  readonly silenceMs?: number | undefined;
}

const ANSWER_MS = 10_000;
/** QEMU stands still for a moment on a busy host, and for ever when a guest has captured it. */
const SILENCE_MS = 60_000;
/** Between two looks at whether QEMU counts it as done, which is a moment after its last byte. */
const LOOK_MS = 100;
const LOOKS = 50;

/**
 * Writes the memory of a running machine to a file, as an ELF core that crash(8) and gdb(1) read. The guest stands still
 * meanwhile. QEMU writes into a pipe, so that it needs no access to the file; the guest may have captured it, and gets
 * no more room than its memory takes.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_QMP_REFUSED`; `QEMU_IO` when there is no room for the file;
 * `QEMU_COMMAND_FAILED` when QEMU does not finish it; `QEMU_TIMEOUT`, `QEMU_ABORTED`. There is no file then, and the guest goes on.
 */
export async function dumpMemory(
  host: MachineContext,
  target: MachineRef,
  file: string,
  { signal, onProgress = () => {}, silenceMs = SILENCE_MS }: DumpOptions = {},
): Promise<DumpResult> {
  const limits = { timeoutMs: ANSWER_MS, signal };
  if (locate(target.files).kind !== 'alive') throw notRunning(target);
  return withScratchFolder(target.files, async (folder) => {
    const path = join(folder, randomUUID());
    const fifo = await makeFifo(path);
    const abort = (): void => fifo.close();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const total = await withOwnMonitor(host, target, limits, (client) => begin(client, path, limits));
      fifo.writerIsThere();
      const pieces = dumpPieces(fifo.stream, {
        mostBytes: mostDumped(launchedConfig(readLaunchRecord(target.files), target.configPath)),
        silenceMs,
      });
      const checked = endedWell(reported(pieces, total, onProgress), () => requireCompleted(host, target, signal));
      const sizeBytes = await writeWhole(file, 0o600, checked);
      return { sizeBytes };
    } catch (error) {
      throw signal?.aborted ? abortError(signal) : error;
    } finally {
      signal?.removeEventListener('abort', abort);
      fifo.close();
    }
  });
}

/** Returns the memory of the machine in bytes. */
async function begin(
  client: QmpClient,
  path: string,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<number> {
  const memory = asRecord(await client.executeRaw('query-memory-size-summary', {}, limits));
  await client.execute('dump-guest-memory', { paging: false, protocol: `file:${path}`, detach: true }, limits);
  return asNumber(memory['base-memory']) + asNumber(memory['plugged-memory']);
}

async function* reported(
  pieces: AsyncIterable<Uint8Array>,
  total: number,
  onProgress: OnProgress,
): AsyncGenerator<Uint8Array, void, undefined> {
  let done = 0;
  for await (const piece of pieces) {
    yield piece;
    done += piece.length;
    onProgress({ phase: 'dumping memory', done: Math.min(done, total), total });
  }
}

/** It counts only when QEMU says at the end that it was all. */
async function* endedWell(
  pieces: AsyncIterable<Uint8Array>,
  check: () => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* pieces;
  await check();
}

async function requireCompleted(
  host: MachineContext,
  target: MachineRef,
  signal: AbortSignal | undefined,
): Promise<void> {
  const limits = { timeoutMs: ANSWER_MS, signal };
  let status = 'active';
  for (let look = 0; look < LOOKS && status === 'active'; look += 1) {
    if (look > 0) await delay(LOOK_MS, signal);
    const answer = await withOwnMonitor(host, target, limits, (client) => client.executeRaw('query-dump', {}, limits));
    status = asText(asRecord(answer)['status']);
  }
  if (status === 'completed') return;
  throw new QemuError(
    'QEMU_COMMAND_FAILED',
    `QEMU did not finish the dump of machine "${target.longName}" (${status})`,
  );
}
