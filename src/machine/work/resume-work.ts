import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { hasMove } from '../move/move-record.ts';
import { tellPeer } from '../move/tell-peer.ts';
import { resumeWork } from './do-work.ts';
import type { Resumption } from './resumption.ts';
import { settle } from './settle.ts';
import { isAtWork, readWork, type WorkRecord } from './work-record.ts';

/**
 * What became of interrupted work: `resumed` and done, `settled` without any more to do, or there is `nothing`.
 */
export interface ResumeResult {
  readonly outcome: 'resumed' | 'settled' | 'nothing';
  /** For people: `copying DSK1 to "/srv/web.qcow2"`; undefined for `nothing`. */
  readonly what: string | undefined;
}

/** How work of a kind goes on, by the word in the record. Of others the jobs can only be ended. */
const RESUMES: Readonly<Record<string, () => Promise<(resumption: Resumption) => Promise<void>>>> = {
  backup: async () => (await import('../backup/resume-backup.ts')).resumeBackup,
  pivot: async () => (await import('../disks/pivot/resume-pivot.ts')).resumePivot,
};

/**
 * Goes on with work on a machine's disks whose command was killed while its jobs went on inside QEMU.
 *
 * @param job id of the job that is meant; undefined: whatever there is.
 * @throws {QemuError} `QEMU_LOCKED` when the command lives, `QEMU_DEVICE_UNKNOWN` for another job, `QEMU_USAGE` for work
 * that cannot go on; and what the work throws.
 */
export async function resumeInterrupted(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  { job, ...options }: LongWorkOptions & { readonly job?: string | undefined },
): Promise<ResumeResult> {
  const record = readWork(target.files);
  if (job !== undefined && record?.jobs.includes(job) !== true) {
    throw new QemuError(
      'QEMU_DEVICE_UNKNOWN',
      `No interrupted command of machine "${target.longName}" has left a job "${job}"`,
      {
        hint: `see: ${shellCommand('qemu-init', 'jobs', target.longName)}`,
      },
    );
  }
  if (record === undefined) {
    const hasToTell = hasMove(target.files);
    const isTold = !hasToTell || (await tellPeer(host, target, undefined, PEER_MS));
    return { outcome: isTold && hasToTell ? 'settled' : 'nothing', what: undefined };
  }
  const resume = await RESUMES[record.kind]?.();
  const isDone = await resumeWork(
    host,
    target,
    async (work) => {
      await resume?.({ host, target, config, work, options });
      return true;
    },
    options.signal,
    resume === undefined ? cannotGoOn(target, record) : undefined,
  );
  return { outcome: isDone === true ? 'resumed' : 'settled', what: record.what };
}

/** For another host. */
const PEER_MS = 20_000;

function cannotGoOn({ longName }: MachineRef, { kind, what, jobs }: WorkRecord): QemuError {
  if (kind === 'move-in' || kind === 'move-out') {
    return new QemuError('QEMU_MACHINE_STATE', `The other end of the move cannot be asked now: ${what}`, {
      hint: 'try again when it can be reached; what is noted there and here says who owns the guest',
    });
  }
  const end = jobs[0] === undefined ? '' : `end it: ${shellCommand('qemu-init', 'jobs', 'cancel', longName, jobs[0])}`;
  return new QemuError('QEMU_USAGE', 'Nobody can go on with this work: its command held what it needs', { hint: end });
}

/**
 * Ends a job that is part of work whose command was killed, and undoes that work.
 *
 * @returns whether it was such a job.
 * @throws {QemuError} as {@link settle}.
 */
export async function cancelInterrupted(
  host: MachineContext,
  target: MachineRef,
  job: string,
  limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  const record = readWork(target.files);
  if (record === undefined || !record.jobs.includes(job) || isAtWork(target.files, record)) return false;
  await settle(host, target, { ...limits, cancel: true });
  return true;
}
