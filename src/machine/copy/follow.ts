import { statfsSync } from 'node:fs';
import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import type { Domain } from '../../domain/domain.ts';
import { type Job, listJobs } from '../../domain/job.ts';
import { failureOf } from '../../domain/job-error.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { isHeldUp, letGoOn } from '../work/held-guest.ts';
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
  /** Told once each time there is no room, and once more when the guest stands still because of that. */
  readonly onFull: (isGuestHeld: boolean) => void;
  /** Whose guest may write to the disks meanwhile; undefined: it does not run. */
  readonly machine: { readonly host: MachineContext; readonly target: MachineRef } | undefined;
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
  const { jobs, folder, waitForSpace, machine, signal } = options;
  let running = jobs.size;
  const told = new Set<boolean>();
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(2 * pauseMs, LOOK_MS)) {
    const { now, isGuestHeld } = await visit((domain) => look(domain, options, running));
    for (const job of now) requireSuccess(job, options);
    requireAll(now, jobs);
    options.onProgress({ phase: phaseOf(now, jobs), done: sum(now, 'done'), total: sum(now, 'total') });
    const unfinished = now.filter(({ isOver }) => !isOver);
    running = unfinished.length;
    if (running === 0) {
      if (machine !== undefined) await visit(({ client }) => letGoOn(machine.host, machine.target, client));
      return;
    }
    // The guest is not to wait until a job comes to where there is no room.
    if (isGuestHeld && !waitForSpace) throw copyFailed(namesOf(unfinished, jobs), NO_SPACE, folder);
    if (!isGuestHeld && !now.some(({ status }) => status === 'paused')) {
      told.clear();
      await delay(pauseMs, signal);
    } else {
      if (waitForSpace && !told.has(isGuestHeld)) options.onFull(isGuestHeld);
      told.add(isGuestHeld);
      await delay(ROOM_MS, signal);
    }
  }
}

/** As QEMU has it from strerror(3). */
const NO_SPACE = 'No space left on device';

interface Look {
  readonly now: readonly Job[];
  /** The guest stands still, and there is still no room. */
  readonly isGuestHeld: boolean;
}

/** Looks at the jobs, divides the rate among those that still run, and lets those go on that found no room, and the guest. */
async function look(domain: Domain, { jobs, rate, folder, machine }: FollowOptions, before: number): Promise<Look> {
  const now = (await listJobs(domain)).filter(({ id }) => jobs.has(id));
  const running = now.filter(({ isOver }) => !isOver);
  if (rate !== undefined && running.length < before) {
    const speed = shareOf(rate, running.length);
    for (const { id } of running) await ifStillThere(domain.run('block-job-set-speed', { device: id, speed }));
  }
  const paused = running.filter(({ status }) => status === 'paused');
  const isHeld =
    machine !== undefined && running.length > 0 && (await isHeldUp(machine.host, machine.target, domain.client));
  if (paused.length === 0 && !isHeld) return { now, isGuestHeld: false };
  if (roomIn(folder) < ROOM_BYTES) return { now, isGuestHeld: isHeld };
  for (const { id } of paused) await ifStillThere(domain.run('job-resume', { id }));
  if (machine !== undefined) await letGoOn(machine.host, machine.target, domain.client);
  return { now, isGuestHeld: false };
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
  const running = now.filter(({ isOver }) => !isOver);
  return running.length > 3 ? `copying ${running.length} disks` : `copying ${namesOf(running, jobs)}`;
}

function namesOf(now: readonly Job[], jobs: ReadonlyMap<string, string>): string {
  return now.map(({ id }) => jobs.get(id) ?? id).join(', ');
}

function sum(jobs: readonly Job[], what: 'done' | 'total'): number {
  return jobs.reduce((total, job) => total + job[what], 0);
}
