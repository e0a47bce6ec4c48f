import type { MachineSample, RunningSample } from './sample.ts';

/** What a machine does each second, from two samples of it. */
export interface MachineRates {
  /** Processor time in percent of one processor of the host. */
  readonly cpuPercent: number;
  readonly readBytesPerSecond: number;
  readonly writtenBytesPerSecond: number;
  readonly receivedBytesPerSecond: number;
  readonly transmittedBytesPerSecond: number;
}

/**
 * Rates between two samples; undefined when there is no earlier one of the same run. A counter that fell, since a disk
 * was exchanged, counts from nothing.
 */
export function ratesOf(before: MachineSample | undefined, now: MachineSample): MachineRates | undefined {
  const [first, second] = [before?.running, now.running];
  if (!before || !first || !second || first.pid !== second.pid) return undefined;
  const seconds = (now.atMs - before.atMs) / 1000;
  if (seconds <= 0) return undefined;
  const rate = (read: (sample: RunningSample) => number): number => Math.max(0, read(second) - read(first)) / seconds;
  const disk = (name: 'readBytes' | 'writtenBytes'): number => sumOf(first.disks, second.disks, 'disk', name) / seconds;
  const nic = (name: 'receivedBytes' | 'transmittedBytes'): number =>
    sumOf(first.nics, second.nics, 'nic', name) / seconds;
  return {
    cpuPercent: 100 * rate(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds),
    readBytesPerSecond: disk('readBytes'),
    writtenBytesPerSecond: disk('writtenBytes'),
    receivedBytesPerSecond: nic('receivedBytes'),
    transmittedBytesPerSecond: nic('transmittedBytes'),
  };
}

function sumOf<K extends string, V extends string>(
  before: readonly (Readonly<Record<K, string>> & Readonly<Record<V, number>>)[],
  now: readonly (Readonly<Record<K, string>> & Readonly<Record<V, number>>)[],
  key: K,
  value: V,
): number {
  const old = new Map(before.map((each) => [each[key], each[value]]));
  return now.reduce((sum, each) => {
    const earlier = old.get(each[key]) ?? 0;
    return sum + (each[value] < earlier ? each[value] : each[value] - earlier);
  }, 0);
}
