import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import type { Domain } from '../../domain/domain.ts';
import { type Job, listJobs } from '../../domain/job.ts';
import { JobError } from '../../domain/job-error.ts';
import { newJobId, parseJobId } from '../../domain/job-id.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import type { DiskAccess } from '../disks/disk-access.ts';
import { dropNodes } from '../disks/pivot/drop-nodes.ts';
import type { CopiedDisk } from './copied-disks.ts';
import { nodeOf } from './drop-mirrors.ts';

/** Blocks that were written since are copied again in such pieces. */
const BUFFER_BYTES = 16 * 1024 * 1024;
const LOOK_MS = 200;
const FINISH_LOOK_MS = 10;
/** For what is left when the guest stands still: much less than the copy itself. */
const FINISH_MS = 120_000;

/** Ids for the jobs that copy disks to another place. */
export function mirrorIds(disks: readonly CopiedDisk[]): string[] {
  return disks.map(({ key }) => newJobId('move', key.toLowerCase()));
}

/** How disks are copied. */
export interface MirrorDisksOptions {
  /** Socket of an NBD server with an export for each disk, by its key in small letters. */
  readonly socket: string;
  readonly jobs: readonly string[];
  /** Most bytes a second, of all together. */
  readonly rate: number | undefined;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
}

/**
 * Has QEMU copy disks to another place, and waits until both sides have the same but for what the guest writes meanwhile,
 * which goes on being copied. When it throws, the caller has to end the jobs: {@link dropMirrors}.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when a copy fails, as without room there; `QEMU_ABORTED` …
 */
export async function mirrorDisks(access: DiskAccess, options: MirrorDisksOptions): Promise<void> {
  const { jobs, rate, signal, onProgress } = options;
  const speed = rate === undefined ? 0 : Math.max(1, Math.floor(rate / Math.max(1, jobs.length)));
  for (const id of jobs) await access.use((domain) => start(domain, id, { ...options, speed }));
  for (;;) {
    const now = await access.use((domain) => jobsOf(domain, jobs));
    const sum = (part: (job: Job) => number): number => now.reduce((all, job) => all + part(job), 0);
    onProgress?.({
      phase: 'copying disks',
      done: sum(({ done, total }) => Math.min(done, total)),
      total: sum(({ total }) => total),
    });
    if (now.every(({ status }) => status === 'ready')) return;
    await delay(LOOK_MS, signal);
  }
}

async function start(
  domain: Domain,
  id: string,
  { socket, speed }: { readonly socket: string; readonly speed: number },
): Promise<void> {
  const disk = parseJobId(id)?.device ?? '';
  const server = { type: 'unix', path: socket };
  await domain.run('blockdev-add', { driver: 'nbd', 'node-name': nodeOf(id), server, export: disk, discard: 'unmap' });
  await domain.run('blockdev-mirror', {
    'job-id': id,
    // By its drive: the node that is on top of it now, be it what a copy that failed has left there.
    device: disk,
    target: nodeOf(id),
    sync: 'full',
    'buf-size': BUFFER_BYTES,
    // QEMU (7.2 and 10) crashes when a job in the mode `write-blocking` is cancelled while the guest writes.
    'copy-mode': 'background',
    speed,
    'auto-dismiss': false,
  });
}

/** @throws {QemuError} when one of them has failed, or is gone. */
async function jobsOf(domain: Domain, ids: readonly string[], options?: ExecuteOptions): Promise<Job[]> {
  const all = await listJobs(domain, options);
  return ids.map((id) => {
    const job = all.find((each) => each.id === id);
    if (job === undefined) throw new QemuError('QEMU_COMMAND_FAILED', `Job "${id}" is gone`);
    if (job.error !== undefined) throw notCopied(new JobError(id, job.error));
    return job;
  });
}

/** QEMU itself only knows that the other end of the line is gone, or refused something. */
function notCopied(cause: JobError): QemuError {
  const disk = parseJobId(cause.jobId)?.device.toUpperCase() ?? cause.jobId;
  const isFull = cause.reason === 'nospace';
  return new QemuError('QEMU_COMMAND_FAILED', `${disk} could not be copied to the other place`, {
    cause,
    hint: isFull ? 'free some space there' : 'its QEMU there has ended, or could not write, or the line is cut',
  });
}

/**
 * Ends the jobs of a guest that stands still: all that it has written is at the other place then.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED`; `QEMU_TIMEOUT` …
 */
export async function finishMirrors(domain: Domain, ids: readonly string[], options: ExecuteOptions): Promise<void> {
  const deadline = performance.now() + FINISH_MS;
  for (const id of ids) {
    await domain.run('block-job-set-speed', { device: id, speed: 0 }, options);
    // Of a mirror that is ready this is an orderly end (`block-job-cancel` without `force`).
    await domain.run('block-job-cancel', { device: id }, options);
  }
  while (!(await jobsOf(domain, ids, options)).every(({ isOver }) => isOver)) {
    if (performance.now() > deadline) throw new QemuError('QEMU_TIMEOUT', 'The disks could not be copied in time');
    await delay(FINISH_LOOK_MS, options.signal);
  }
  for (const job of await jobsOf(domain, ids, options)) await job.dismiss(options);
  await dropNodes(domain, ids.map(nodeOf), options);
}
