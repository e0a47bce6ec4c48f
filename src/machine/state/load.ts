import { statSync } from 'node:fs';
import { delay } from '../../base/abort.ts';
import { errorCode, isNotFound, LaunchError, QemuError } from '../../base/errors.ts';
import { asArray, asRecord, asText } from '../../base/guards.ts';
import { oneLine } from '../../base/text.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { checksumOf } from '../../system/files/checksum.ts';
import { isThere } from '../../system/files/files.ts';
import { AGENT_CHANNEL } from '../argv/channels.ts';
import type { MachineRef } from '../context.ts';
import { moveSaved, removeSaved, savedFiles, savedFolder } from './saved-folder.ts';
import { readSavedRecord, type SavedRecord } from './saved-record.ts';

const ANSWER_MS = 60_000;
/** QEMU has all of the state by then. */
const DONE_MS = 120_000;
/** Slower than any disk that one would put a state on. */
const LEAST_BYTES_A_SECOND = 4 * 1024 * 1024;
const LOOK_MS = 10;
const NEVER = new AbortController().signal;

/**
 * The record of a machine's saved state, whose file is there in its whole length.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE` for one that cannot be used.
 */
export function openSaved(target: MachineRef): SavedRecord {
  const record = readSavedRecord(target.files, 'saved');
  if (record === undefined) throw damaged(target, 'its record is missing or damaged');
  const { state } = savedFiles(target.files, 'saved');
  const size = sizeOf(state);
  if (size === undefined) throw damaged(target, `"${state}" is missing`);
  if (size !== record.sizeBytes) throw damaged(target, `"${state}" has ${size} bytes and had ${record.sizeBytes}`);
  return record;
}

function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/**
 * Refuses a state that does not fit.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE`
 */
export function refuseDifferences({ longName }: MachineRef, record: SavedRecord, differences: readonly string[]): void {
  if (differences.length === 0) return;
  const since = `it has changed since ${record.savedAt}`;
  throw new QemuError(
    'QEMU_MACHINE_STATE',
    `Cannot go on from the saved state of machine "${longName}": ${since}: ${differences.join('; ')}`,
    { hint: `undo that; or drop the state, which is like pulling the plug: qemu-init start --fresh ${longName}` },
  );
}

/** How a QEMU takes in a state. */
export interface LoadOptions {
  /** Where QEMU finds it, for `migrate-incoming`. */
  readonly uri: string;
  /** Does not let the guest go on. */
  readonly stayPaused: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A guest that was loaded. */
export interface Loaded {
  /** It runs, and its agent may be asked. */
  readonly hasAgent: boolean;
}

/**
 * Gives a QEMU that was started with `-incoming defer -S` the saved state, and lets its guest go on. From then on the state
 * is spent: it is never loaded again. Until then the guest has provably not run, and nothing is lost when this throws.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE` for a damaged state; `QEMU_QMP_CLOSED` when QEMU ends; `QEMU_TIMEOUT`,
 * `QEMU_ABORTED` …
 */
export async function loadSaved(target: MachineRef, client: QmpClient, options: LoadOptions): Promise<Loaded> {
  const { files } = target;
  const { uri, stayPaused, signal = NEVER } = options;
  const record = readSavedRecord(files, 'loading');
  if (record === undefined) throw damaged(target, 'its record is missing or damaged');
  const limits = { timeoutMs: ANSWER_MS, signal };
  // The images stay as they are, locks included, until the guest runs.
  const capabilities = [{ capability: 'late-block-activate', state: true }];
  await client.executeRaw('migrate-set-capabilities', { capabilities }, limits);
  await client.executeRaw('migrate-incoming', { uri }, limits);
  // Read at the same time, while QEMU has it in the cache of the host.
  const over = new AbortController();
  const checksum = checksumOf(savedFiles(files, 'loading').state, AbortSignal.any([signal, over.signal]));
  checksum.catch(() => {});
  try {
    await untilLoaded(client, limits, DONE_MS + (record.sizeBytes / LEAST_BYTES_A_SECOND) * 1000);
    if ((await checksum).crc32 !== record.crc32) throw damaged(target, 'its checksum is wrong');
  } finally {
    over.abort();
  }
  moveSaved(files, 'loading', 'spent');
  if (!record.wasRunning || stayPaused) return { hasAgent: false };
  await letRun(target, client, limits);
  return { hasAgent: await isAgentThere(client, limits) };
}

/** The agent of a guest that goes on has its channel open at once, or not at all. */
async function isAgentThere(client: QmpClient, limits: ExecuteOptions): Promise<boolean> {
  const channels = asArray(await client.executeRaw('query-chardev', undefined, limits)).map(asRecord);
  return channels.some((channel) => channel['label'] === AGENT_CHANNEL && channel['frontend-open'] === true);
}

async function untilLoaded(client: QmpClient, limits: ExecuteOptions, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const info = asRecord(await client.executeRaw('query-migrate', undefined, limits));
    const status = asText(info['status']);
    if (status === 'completed') return;
    if (status === 'failed')
      throw new QemuError('QEMU_QMP_CLOSED', `QEMU refused the state: ${oneLine(asText(info['error-desc']))}`);
    if (performance.now() > deadline) throw new QemuError('QEMU_TIMEOUT', 'QEMU did not take in the state in time');
    await delay(LOOK_MS, limits.signal);
  }
}

async function letRun({ files }: MachineRef, client: QmpClient, limits: ExecuteOptions): Promise<void> {
  try {
    await client.executeRaw('cont', undefined, limits);
  } catch (error) {
    // Another program has an image open, for instance: then the guest has not run.
    if (errorCode(error) === 'QEMU_QMP_REFUSED' && (await stateOf(client, limits)) !== 'running') {
      moveSaved(files, 'spent', 'loading');
    }
    throw error;
  }
  const state = await stateOf(client, limits);
  if (state !== 'running') throw new QemuError('QEMU_MACHINE_STATE', `The guest does not go on: it is ${state}`);
}

async function stateOf(client: QmpClient, limits: ExecuteOptions): Promise<string> {
  return asText(asRecord(await client.executeRaw('query-status', undefined, limits))['status']);
}

/** Lets a guest go on whose start was killed between the load and that. */
export async function goOnFromSpent(target: MachineRef, client: QmpClient): Promise<void> {
  const limits = { timeoutMs: ANSWER_MS };
  if (readSavedRecord(target.files, 'spent')?.wasRunning !== true) return;
  if ((await stateOf(client, limits)) === 'paused') await client.executeRaw('cont', undefined, limits);
}

/** After a failed load, when its QEMU is gone: a state whose guest has not run is one again. */
export function putBack({ files }: MachineRef): void {
  if (isThere(savedFolder(files, 'loading'))) moveSaved(files, 'loading', 'saved');
}

/** The guest runs: its old state goes. */
export function forgetSpent({ files }: MachineRef): void {
  removeSaved(files, 'spent');
}

/** The error of a start that could not load its state, with what is left to do. */
export function loadError({ longName }: MachineRef, error: unknown): unknown {
  if (!(error instanceof QemuError) || error.code === 'QEMU_ABORTED') return error;
  const hint = `the state is kept; to start without it, which drops it: qemu-init start --fresh ${longName}`;
  const message = `Cannot go on from the saved state of machine "${longName}"`;
  if (!(error instanceof LaunchError))
    return new QemuError(error.code, `${message}: ${error.message}`, { cause: error.cause, hint });
  const { argv, exitCode, signal, output } = error;
  return new LaunchError(
    `${message}: ${error.message}`,
    { argv, exitCode, signal, output },
    { cause: error.cause, hint },
  );
}

function damaged({ longName }: MachineRef, why: string): QemuError {
  return new QemuError('QEMU_MACHINE_STATE', `The saved state of machine "${longName}" cannot be used: ${why}`, {
    hint: `drop it, which is like pulling the plug: qemu-init start --fresh ${longName}`,
  });
}
