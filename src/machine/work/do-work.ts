import { errorCode, QemuError } from '../../base/errors.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { explainForeignJob } from './foreign-job.ts';
import { partFile } from './part-files.ts';
import { settleLocked, underWorkLock, withQemu } from './settle.ts';
import { isAtWork, ownTool, readWork, removeWork, setAtWork, type WorkRecord, writeWork } from './work-record.ts';

/** Work that is about to begin. */
export type WorkPlan = Pick<WorkRecord, 'kind' | 'what'> &
  Partial<Pick<WorkRecord, 'jobs' | 'partFiles' | 'cfgEdits' | 'data'>>;

/** Work that goes on, and its record, which is written before each step that it is about. */
export class Work {
  readonly #target: MachineRef;
  #record: WorkRecord;

  constructor(target: MachineRef, record: WorkRecord) {
    this.#target = target;
    this.#record = record;
  }

  get record(): WorkRecord {
    return this.#record;
  }

  /** Changes the record, so that it outlives a power cut. @throws {QemuError} `QEMU_IO`. */
  note(change: Partial<Omit<WorkRecord, 'kind' | 'tool'>>): void {
    this.#record = { ...this.#record, ...change };
    writeWork(this.#target.files, this.#record);
  }

  /** Notes which files those of {@link WorkRecord.partFiles} are, now that they are made. */
  noteParts(): void {
    this.note({ partFiles: this.#record.partFiles.map(({ path }) => partFile(path)) });
  }
}

/** For other commands that begin, end or settle work. */
const LOCK_MS = 20_000;

/** To find out why it failed. */
const LOOK_MS = 5_000;

/** For each answer of QEMU when work is undone. */
const UNDO_MS = 30_000;

/**
 * Does work on the disks of a machine. What an earlier command left is set right first. While it lasts no other work
 * begins; when it fails, or the signal ends it, its kind undoes it.
 *
 * @throws {QemuError} `QEMU_LOCKED` when other work is not over; and what `body` throws.
 */
export async function doWork<T>(
  host: MachineContext,
  target: MachineRef,
  plan: WorkPlan,
  body: (work: Work) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const work = await underWorkLock(host, target, { timeoutMs: LOCK_MS, signal }, async () => {
    await refuseBusy(host, target);
    const record: WorkRecord = {
      jobs: [],
      partFiles: [],
      cfgEdits: [],
      data: {},
      ...plan,
      startedAt: new Date().toISOString(),
      tool: ownTool(),
    };
    return begin(target, record);
  });
  return carryOn(host, target, work, body);
}

/**
 * Goes on with work whose command was killed, as its own.
 *
 * @param body has to find out how far it is.
 * @param obstacle why nobody can go on with jobs that still run.
 * @returns undefined when there was nothing more to do.
 * @throws {QemuError} `QEMU_LOCKED` when its command lives; and what `body` throws.
 */
export async function resumeWork<T>(
  host: MachineContext,
  target: MachineRef,
  body: (work: Work) => Promise<T>,
  signal?: AbortSignal,
  obstacle?: QemuError,
): Promise<T | undefined> {
  const work = await underWorkLock(host, target, { timeoutMs: LOCK_MS, signal }, async () => {
    const found = await settleLocked(host, target, { timeoutMs: LOCK_MS, signal });
    if (found.outcome === 'busy') throw busy(target, found.record);
    if (found.outcome !== 'running') return undefined;
    // The jobs go on as they did.
    if (obstacle) throw obstacle;
    return begin(target, { ...found.record, tool: ownTool() });
  });
  return work === undefined ? undefined : carryOn(host, target, work, body);
}

/**
 * Refuses a command on the disks of a machine while work on them is not over. What an earlier command left is set right
 * first.
 *
 * @throws {QemuError} `QEMU_LOCKED`
 */
export async function refuseDuringWork(host: MachineContext, target: MachineRef, signal?: AbortSignal): Promise<void> {
  if (readWork(target.files) === undefined) return;
  await underWorkLock(host, target, { timeoutMs: LOCK_MS, signal }, () => refuseBusy(host, target));
}

async function refuseBusy(host: MachineContext, target: MachineRef): Promise<void> {
  const found = await settleLocked(host, target, { timeoutMs: LOCK_MS });
  if (found.outcome === 'busy' || found.outcome === 'running') throw busy(target, found.record);
}

function busy(target: MachineRef, record: WorkRecord): QemuError {
  const { what, startedAt, tool, jobs } = record;
  const name = target.longName;
  const isInterrupted = !isAtWork(target.files, record);
  const by = isInterrupted ? 'an interrupted command' : `process ${tool.pid}`;
  const wait = isInterrupted ? `go on with it: qemu-init jobs resume ${name}` : 'wait until it is done';
  const end = jobs[0] === undefined ? '' : `, or end it: qemu-init jobs cancel ${name} ${jobs[0]}`;
  return new QemuError('QEMU_LOCKED', `Machine "${name}" is busy since ${startedAt} (${what}, by ${by})`, {
    hint: `${wait}${end}`,
  });
}

/** Under the lock. */
function begin(target: MachineRef, record: WorkRecord): Work {
  writeWork(target.files, record);
  setAtWork(target.files, true);
  return new Work(target, record);
}

async function carryOn<T>(
  host: MachineContext,
  target: MachineRef,
  work: Work,
  body: (work: Work) => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await body(work);
  } catch (error) {
    setAtWork(target.files, false);
    const undone = await undo(host, target, error);
    throw await explainForeignJob(undone, target.longName, work.record, (look) =>
      withQemu(target, { timeoutMs: LOOK_MS }, look),
    );
  }
  removeWork(target.files);
  setAtWork(target.files, false);
  return result;
}

/** The error, with what is left when the work could not be undone. */
async function undo(host: MachineContext, target: MachineRef, error: unknown): Promise<unknown> {
  try {
    await underWorkLock(host, target, { timeoutMs: LOCK_MS }, () =>
      settleLocked(host, target, { timeoutMs: UNDO_MS, cancel: true }),
    );
    return error;
  } catch (failure) {
    const code = errorCode(failure) ?? 'unknown';
    const message = `what was begun could not be undone yet (${code}); the next command on this machine tries again`;
    host.notify({ level: 'warning', machine: target.longName, message });
    return error;
  }
}
