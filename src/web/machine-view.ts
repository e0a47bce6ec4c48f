import { parseJobId } from '../domain/job-id.ts';
import type { MachineRef } from '../machine/context.ts';
import { hasWork, isAtWork, readWork } from '../machine/work/work-record.ts';
import { type MachineRates, ratesOf } from '../metrics/rates.ts';
import type { DiskSample, JobSample, MachineSample } from '../metrics/sample.ts';
import { readLockHolder } from '../system/lock/lock-folder.ts';

/** A machine as the page shows it. */
export interface MachineView {
  readonly name: string;
  readonly shortName: string | undefined;
  readonly state: string;
  readonly saved: boolean;
  /** DESC of its file. */
  readonly description: string | undefined;
  readonly os: string | undefined;
  readonly vcpus: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly pid: number | undefined;
  readonly startSeconds: number | undefined;
  readonly residentBytes: number | undefined;
  readonly rates: MachineRates | undefined;
  /** Jobs inside QEMU. */
  readonly jobs: readonly JobView[];
  /** Work on its disks that a command does, or that a killed one has left: `copying DSK1 to "/srv/fast/web.qcow2"`. */
  readonly work: { readonly what: string; readonly startedAt: string; readonly isLeft: boolean } | undefined;
  /** The command that is changing it: `stop`. */
  readonly busy: string | undefined;
  readonly disks: readonly Pick<DiskSample, 'disk' | 'sizeBytes' | 'allocatedBytes' | 'ioStatus'>[];
}

/** A job, with what its id says of it when it is one of ours. */
export interface JobView extends JobSample {
  /** `backup`, `mirror` … */
  readonly action: string;
  /** `dsk1`; empty for a job of others. */
  readonly device: string;
}

/** The view of a machine, from its newest sample and the one before. */
export function viewOf(target: MachineRef, sample: MachineSample, before: MachineSample | undefined): MachineView {
  const { name, shortName, state, saved, description, os, vcpus, memoryBytes, running } = sample;
  return {
    name,
    shortName,
    state,
    saved,
    description,
    os,
    vcpus,
    memoryBytes,
    pid: running?.pid,
    startSeconds: running?.startSeconds,
    residentBytes: running?.residentBytes,
    rates: ratesOf(before, sample),
    jobs: (running?.jobs ?? []).map(jobView),
    work: workOf(target),
    busy: readLockHolder(target.files.lock)?.command,
    disks: (running?.disks ?? []).map(({ disk, sizeBytes, allocatedBytes, ioStatus }) => ({
      disk,
      sizeBytes,
      allocatedBytes,
      ioStatus,
    })),
  };
}

function jobView(job: JobSample): JobView {
  const { action = job.type, device = '' } = parseJobId(job.job) ?? {};
  return { ...job, action, device };
}

function workOf({ files }: MachineRef): MachineView['work'] {
  const record = hasWork(files) ? readWork(files) : undefined;
  return record && { what: record.what, startedAt: record.startedAt, isLeft: !isAtWork(files, record) };
}
