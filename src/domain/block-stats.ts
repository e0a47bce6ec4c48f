import { asArray, asNumber, asRecord, asText, optionalNumber, optionalText } from '../base/guards.ts';

/** Counters of one drive since QEMU's start (`query-blockstats`). */
export interface BlockStats {
  /** Name given by `-drive id=`; empty with `-blockdev`. */
  readonly device: string;
  readonly qdev: string | undefined;
  readonly nodeName: string | undefined;
  readonly readBytes: number;
  readonly readOperations: number;
  readonly readMerged: number;
  readonly readTotalTimeNs: number;
  readonly writeBytes: number;
  readonly writeOperations: number;
  readonly writeMerged: number;
  readonly writeTotalTimeNs: number;
  /** Offset in bytes after the last byte ever written. */
  readonly writeHighestOffset: number;
  readonly flushOperations: number;
  readonly flushTotalTimeNs: number;
  readonly unmapBytes: number;
  readonly unmapOperations: number;
  readonly failedReadOperations: number;
  readonly failedWriteOperations: number;
  readonly failedFlushOperations: number;
  readonly invalidReadOperations: number;
  readonly invalidWriteOperations: number;
  readonly invalidFlushOperations: number;
  /** Whether failed operations count in the totals. */
  readonly accountFailed: boolean;
  /** Whether invalid operations count in the totals. */
  readonly accountInvalid: boolean;
  /** Nanoseconds since the last operation; undefined when there was none yet. */
  readonly idleTimeNs: number | undefined;
  /** All counters under QEMU's own names, including those of newer versions. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** Reads the answer to `query-blockstats`. */
export function parseBlockStats(answer: unknown): BlockStats[] {
  return asArray(answer).map((each) => {
    const entry = asRecord(each);
    const stats = asRecord(entry['stats']);
    return {
      device: asText(entry['device']),
      qdev: optionalText(entry['qdev']),
      nodeName: optionalText(entry['node-name']),
      readBytes: asNumber(stats['rd_bytes']),
      readOperations: asNumber(stats['rd_operations']),
      readMerged: asNumber(stats['rd_merged']),
      readTotalTimeNs: asNumber(stats['rd_total_time_ns']),
      writeBytes: asNumber(stats['wr_bytes']),
      writeOperations: asNumber(stats['wr_operations']),
      writeMerged: asNumber(stats['wr_merged']),
      writeTotalTimeNs: asNumber(stats['wr_total_time_ns']),
      writeHighestOffset: asNumber(stats['wr_highest_offset']),
      flushOperations: asNumber(stats['flush_operations']),
      flushTotalTimeNs: asNumber(stats['flush_total_time_ns']),
      unmapBytes: asNumber(stats['unmap_bytes']),
      unmapOperations: asNumber(stats['unmap_operations']),
      failedReadOperations: asNumber(stats['failed_rd_operations']),
      failedWriteOperations: asNumber(stats['failed_wr_operations']),
      failedFlushOperations: asNumber(stats['failed_flush_operations']),
      invalidReadOperations: asNumber(stats['invalid_rd_operations']),
      invalidWriteOperations: asNumber(stats['invalid_wr_operations']),
      invalidFlushOperations: asNumber(stats['invalid_flush_operations']),
      accountFailed: stats['account_failed'] === true,
      accountInvalid: stats['account_invalid'] === true,
      idleTimeNs: optionalNumber(stats['idle_time_ns']),
      raw: stats,
    };
  });
}
