import type { MachineSample, RunningSample } from '../../../src/metrics/sample.ts';

const RUNNING: RunningSample = {
  pid: 100,
  answers: true,
  startSeconds: 1000,
  userSeconds: 1,
  systemSeconds: 0.5,
  residentBytes: 2 ** 20,
  balloonBytes: 2 ** 24,
  vcpuSeconds: [{ vcpu: 0, seconds: 1 }],
  disks: [],
  nics: [],
  jobs: [],
};

/** A sample of a machine, running when `running` is given. */
export function sampleOf(
  name: string,
  rest: Partial<Omit<MachineSample, 'running'>> = {},
  running?: Partial<RunningSample>,
): MachineSample {
  return {
    name,
    shortName: undefined,
    state: running === undefined ? 'stopped' : 'running',
    saved: false,
    atMs: 0,
    os: 'debian',
    description: undefined,
    machineType: 'q35',
    uuid: '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
    vcpus: 2,
    memoryBytes: 2 ** 24,
    running: running === undefined ? undefined : { ...RUNNING, ...running },
    ...rest,
  };
}

/** Counters of a disk. */
export function diskOf(disk: string, readBytes: number, writtenBytes: number): RunningSample['disks'][number] {
  return {
    disk,
    readBytes,
    writtenBytes,
    reads: 1,
    writes: 2,
    flushes: 3,
    readSeconds: 0.1,
    writeSeconds: 0.2,
    flushSeconds: 0.3,
    sizeBytes: 1000,
    allocatedBytes: 500,
    ioStatus: 'ok',
  };
}
