/** Counters of a disk since QEMU's start. */
export interface DiskSample {
  /** `dsk1`, `cdr1`. */
  readonly disk: string;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly flushes: number;
  readonly readSeconds: number;
  readonly writeSeconds: number;
  readonly flushSeconds: number;
  /** Size that the guest sees; undefined for a drive without a disc. */
  readonly sizeBytes: number | undefined;
  /** What the image takes on the host. */
  readonly allocatedBytes: number | undefined;
  /** `ok`, `nospace` or `failed`. */
  readonly ioStatus: string;
}

/** Counters of a network card on a tap, as the guest sees them. */
export interface NicSample {
  /** `nic1`. */
  readonly nic: string;
  readonly receivedBytes: number;
  readonly transmittedBytes: number;
  readonly receivedPackets: number;
  readonly transmittedPackets: number;
  readonly receiveDropped: number;
  readonly transmitDropped: number;
}

/** A job inside QEMU. */
export interface JobSample {
  readonly job: string;
  readonly type: string;
  /** From 0 to 1. */
  readonly ratio: number;
  /** In QEMU's own measure, for many jobs bytes: {@link done} of {@link total}, which may grow. */
  readonly done: number;
  readonly total: number;
}

/** What a running machine has used since its start, and has now. */
export interface RunningSample {
  readonly pid: number;
  /** Whether QEMU answered in time; without an answer there are no disks, jobs and processors. */
  readonly answers: boolean;
  /** Seconds since the epoch. */
  readonly startSeconds: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly residentBytes: number;
  /** Memory that the balloon leaves to the guest; undefined without a balloon. */
  readonly balloonBytes: number | undefined;
  /** Seconds of processor time of each virtual processor, by its number. */
  readonly vcpuSeconds: readonly { readonly vcpu: number; readonly seconds: number }[];
  readonly disks: readonly DiskSample[];
  readonly nics: readonly NicSample[];
  readonly jobs: readonly JobSample[];
}

/** One machine at one moment. */
export interface MachineSample {
  readonly name: string;
  readonly shortName: string | undefined;
  /** As `status` reports it. */
  readonly state: string;
  /** Whether it waits with a saved state. */
  readonly saved: boolean;
  /** Milliseconds of a clock that only goes forward. */
  readonly atMs: number;
  /** This and the following are of its configuration; undefined when that cannot be read. */
  readonly description: string | undefined;
  readonly os: string | undefined;
  readonly machineType: string | undefined;
  readonly uuid: string | undefined;
  readonly vcpus: number | undefined;
  readonly memoryBytes: number | undefined;
  /** Undefined for a machine that does not run. */
  readonly running: RunningSample | undefined;
}
