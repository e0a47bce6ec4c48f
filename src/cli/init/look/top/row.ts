import { type MachineRates, ratesOf } from '../../../../metrics/rates.ts';
import type { MachineSample } from '../../../../metrics/sample.ts';

/** A machine in the table. */
export interface TopRow {
  readonly sample: MachineSample;
  /** Undefined until there are two samples of a run. */
  readonly rates: MachineRates | undefined;
  /** Latest values of cpuPercent, the newest last. */
  readonly cpuHistory: readonly number[];
}

/** Values that a sparkline shows. */
const HISTORY = 10;

/** Rows of a new look, with the rates since the one before. Pure. */
export function nextRows(before: readonly TopRow[], samples: readonly MachineSample[]): TopRow[] {
  const known = new Map(before.map((row) => [row.sample.name, row]));
  return samples.map((sample) => {
    const row = known.get(sample.name);
    const rates = ratesOf(row?.sample, sample);
    const history = sample.running && row?.sample.running?.pid === sample.running.pid ? row.cpuHistory : [];
    return { sample, rates, cpuHistory: rates ? [...history, rates.cpuPercent].slice(-HISTORY) : history };
  });
}

/** The row as a document. */
export function rowDocument({ sample, rates }: TopRow): object {
  const { name, shortName, state, memoryBytes, vcpus, running } = sample;
  return {
    name,
    shortName,
    state,
    pid: running?.pid,
    answers: running?.answers,
    uptimeSeconds: running && Math.max(0, Math.floor(Date.now() / 1000 - running.startSeconds)),
    vcpus,
    cpuSeconds: running && running.userSeconds + running.systemSeconds,
    cpuPercent: rates?.cpuPercent,
    memoryBytes,
    residentBytes: running?.residentBytes,
    readBytesPerSecond: rates?.readBytesPerSecond,
    writtenBytesPerSecond: rates?.writtenBytesPerSecond,
    receivedBytesPerSecond: rates?.receivedBytesPerSecond,
    transmittedBytesPerSecond: rates?.transmittedBytesPerSecond,
    jobs: running?.jobs.map(({ job, type, ratio }) => ({ job, type, ratio })) ?? [],
  };
}
