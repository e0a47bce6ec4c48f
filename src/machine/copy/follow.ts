import { statfsSync } from 'node:fs';
import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import type { Domain } from '../../domain/domain.ts';
import { type Job, listJobs } from '../../domain/job.ts';
import { failureOf } from '../../domain/job-error.ts';
import { shareOf } from './transaction.ts';

/** A way to the QEMU that has the disks, for a short visit. */
export type Visit = <T>(work: (domain: Domain) => Promise<T>) => Promise<T>;

/** What is being followed. */
export interface FollowOptions {
  /** Ids of the jobs, and what each one copies: `DSK1`. */
  readonly jobs: ReadonlyMap<string, string>;
  /** Where they write to. */
  readonly folder: string;
  /** Bytes a second, of all together. */
  readonly rate?: number | undefined;
  readonly waitForSpace: boolean;
  readonly onProgress: OnProgress;
  /** Told once each time there is no room. */
  readonly onFull: () => void;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_LOOK_MS = 5;
const LOOK_MS = 500;
/** Between two looks for room in a full file system, and how much is worth to go on. */
export const ROOM_MS = 1_000;
const ROOM_BYTES = 16 * 1024 * 1024;

/**
 * Waits until all jobs have succeeded.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` as soon as one has failed or is gone; the others still run then;
 * `QEMU_ABORTED`, and what a visit throws.
 */
export async function followJobs(visit: Visit, options: FollowOptions): Promise<void> {
  const { jobs, signal } = options;
  let running = jobs.size;
  let isFull = false;
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(2 * pauseMs, LOOK_MS)) {
    const now = await visit((domain) => look(domain, options, running));
    for (const job of now) requireSuccess(job, options);
    requireAll(now, jobs);
    options.onProgress({ phase: phaseOf(now, jobs), done: sum(now, 'done'), total: sum(now, 'total') });
    running = now.filter(({ isOver }) => !isOver).length;
    if (running === 0) return;
    if (!now.some(({ status }) => status === 'paused')) {
      isFull = false;
      await delay(pauseMs, signal);
    } else {
      if (!isFull && options.waitForSpace) options.onFull();
      isFull = true;
      await delay(ROOM_MS, signal);
    }
  }
}

/** Looks at the jobs, divides the rate among those that still run, and lets those go on that found no room. */
async function look(domain: Domain, { jobs, rate, folder }: FollowOptions, before: number): Promise<Job[]> {
  const now = (await listJobs(domain)).filter(({ id }) => jobs.has(id));
  const running = now.filter(({ isOver }) => !isOver);
  if (rate !== undefined && running.length < before) {
    const speed = shareOf(rate, running.length);
    for (const { id } of running) await ifStillThere(domain.run('block-job-set-speed', { device: id, speed }));
  }
  const paused = running.filter(({ status }) => status === 'paused');
  if (paused.length > 0 && roomIn(folder) >= ROOM_BYTES) {
    for (const { id } of paused) await ifStillThere(domain.run('job-resume', { id }));
  }
  return now;
}

/** A job may end between two commands, or pause for a moment by itself. */
async function ifStillThere(command: Promise<unknown>): Promise<void> {
  try {
    await command;
  } catch (error) {
    if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_REFUSED') throw error;
  }
}

function roomIn(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

function requireSuccess({ id, error }: Job, { jobs, folder }: FollowOptions): void {
  if (error === undefined) return;
  const what = jobs.get(id) ?? id;
  if (failureOf(error) === 'cancelled') throw gone(what);
  throw copyFailed(what, error, folder);
}

/** The error of a copy, with QEMU's sentence. */
export function copyFailed(what: string, error: string, folder: string): QemuError {
  return new QemuError('QEMU_COMMAND_FAILED', `Copying ${what} failed: ${error}`, {
    hint:
      failureOf(error) === 'nospace'
        ? `the file system of "${folder}" is full: free some space there; --wait-for-space waits for that`
        : undefined,
  });
}

function requireAll(now: readonly Job[], jobs: ReadonlyMap<string, string>): void {
  for (const [id, what] of jobs) if (!now.some((job) => job.id === id)) throw gone(what);
}

function gone(what: string): QemuError {
  return new QemuError('QEMU_COMMAND_FAILED', `Copying ${what} was cancelled by another command`);
}

function phaseOf(now: readonly Job[], jobs: ReadonlyMap<string, string>): string {
  const running = now.filter(({ isOver }) => !isOver).map(({ id }) => jobs.get(id) ?? id);
  return running.length > 3 ? `copying ${running.length} disks` : `copying ${running.join(', ')}`;
}

function sum(jobs: readonly Job[], what: 'done' | 'total'): number {
  return jobs.reduce((total, job) => total + job[what], 0);
}
