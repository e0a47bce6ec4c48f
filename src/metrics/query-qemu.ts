import { asArray, asRecord, optionalNumber, optionalText } from '../base/guards.ts';
import { deviceId } from '../domain/block-device.ts';
import { parseBlockStats } from '../domain/block-stats.ts';
import { parseCpus } from '../domain/cpu.ts';
import type { QmpClient } from '../qmp/client.ts';
import { readThreadSeconds } from '../system/process/process-usage.ts';
import type { DiskSample, JobSample, RunningSample } from './sample.ts';

/** What QEMU is asked for in a sample. */
export type QemuSample = Pick<RunningSample, 'balloonBytes' | 'vcpuSeconds' | 'disks' | 'jobs'>;

/** Asks QEMU for its counters, all questions at once. @throws {QemuError} as {@link QmpClient.executeRaw}. */
export async function queryQemu(client: QmpClient, pid: number, timeoutMs: number): Promise<QemuSample> {
  const ask = (command: string): Promise<unknown> => client.executeRaw(command, undefined, { timeoutMs });
  const [stats, blocks, jobs, cpus, balloon] = await Promise.all([
    ask('query-blockstats'),
    ask('query-block'),
    ask('query-jobs'),
    ask('query-cpus-fast'),
    // QEMU refuses it for a machine without a balloon.
    ask('query-balloon').catch(() => undefined),
  ]);
  return {
    disks: firsts(readDisks(stats, blocks), ({ disk }) => disk),
    jobs: firsts(asArray(jobs).map(readJob), ({ job }) => job),
    vcpuSeconds: firsts(parseCpus(cpus), ({ index }) => String(index)).flatMap(({ index, threadId }) => {
      const seconds = readThreadSeconds(pid, threadId);
      return seconds === undefined ? [] : [{ vcpu: index, seconds }];
    }),
    balloonBytes: balloon === undefined ? undefined : optionalNumber(asRecord(balloon)['actual']),
  };
}

/** As many of a kind as no QEMU has by far, but for its jobs and processors. */
const MOST = 1024;
/** Ids of jobs are shorter. */
const MOST_CHARACTERS = 200;

/**
 * The first of each name. A captured QEMU could name one twice, for which node_exporter and Prometheus refuse the metrics
 * of all machines, or ever more and longer ones, which these keep for ever.
 */
function firsts<T>(all: readonly T[], nameOf: (each: T) => string): T[] {
  const byName = new Map<string, T>();
  for (const each of all) {
    if (byName.size < MOST && !byName.has(nameOf(each))) byName.set(nameOf(each), each);
  }
  return [...byName.values()];
}

const NANOSECONDS = 1e9;

/** Drives by their names; those that QEMU makes for itself, such as the flash memory, have none of ours. */
function readDisks(stats: unknown, blocks: unknown): DiskSample[] {
  const about = new Map(asArray(blocks).map((each) => [nameOf(asRecord(each)), asRecord(each)]));
  return parseBlockStats(stats).flatMap((counters): DiskSample[] => {
    const disk = nameOf({ device: counters.device, qdev: counters.qdev });
    if (!/^(?:dsk|cdr)\d{1,4}$/.test(disk)) return [];
    const block = about.get(disk);
    const image = asRecord(asRecord(block?.['inserted'] ?? {})['image'] ?? {});
    return [
      {
        disk,
        readBytes: counters.readBytes,
        writtenBytes: counters.writeBytes,
        reads: counters.readOperations,
        writes: counters.writeOperations,
        flushes: counters.flushOperations,
        readSeconds: counters.readTotalTimeNs / NANOSECONDS,
        writeSeconds: counters.writeTotalTimeNs / NANOSECONDS,
        flushSeconds: counters.flushTotalTimeNs / NANOSECONDS,
        sizeBytes: optionalNumber(image['virtual-size']),
        allocatedBytes: optionalNumber(image['actual-size']),
        ioStatus: optionalText(block?.['io-status']) ?? 'ok',
      },
    ];
  });
}

/** `dsk1`, whether the drive was there at the start or was plugged in later, when only its device has a name. */
function nameOf(block: Readonly<Record<string, unknown>>): string {
  const device = optionalText(block['device']) ?? '';
  return device === '' ? (deviceId(optionalText(block['qdev'])) ?? '').replace(/-dev$/, '') : device;
}

function readJob(value: unknown): JobSample {
  const job = asRecord(value);
  const total = optionalNumber(job['total-progress']) ?? 0;
  const done = optionalNumber(job['current-progress']) ?? 0;
  return {
    job: (optionalText(job['id']) ?? '').slice(0, MOST_CHARACTERS),
    type: (optionalText(job['type']) ?? '').slice(0, MOST_CHARACTERS),
    ratio: total > 0 ? Math.min(1, done / total) : 0,
    done,
    total,
  };
}
