import { QemuError } from '../../base/errors.ts';
import { asNumber, asRecord } from '../../base/guards.ts';
import type { MachineConfig } from '../../config/types.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import type { DiskLayer, DiskNow } from './disk-layer.ts';
import { imageUserPrefix } from './image-user.ts';

/** An image of a disk, as its tables are. */
export interface CheckedImage {
  readonly key: string;
  readonly file: string;
  readonly format: string;
  /** `unchecked`: a format without tables, such as raw. */
  readonly outcome: 'ok' | 'leaks' | 'damaged' | 'unchecked';
  /** Errors that cost data. */
  readonly errors: number;
  /** Clusters that are taken for nothing. */
  readonly leakedClusters: number;
  /** Errors and leaks that were repaired. */
  readonly repaired: number;
}

/** Reading the tables of many terabytes from a slow disk. */
const CHECK_MS = 4 * 3_600_000;

/** Exit statuses of qemu-img(1), "check": no errors, corrupt, leaks, not supported. */
const CHECKED: readonly (number | undefined)[] = [0, 2, 3];
const NOT_SUPPORTED = 63;

/** Checks one image, and repairs it if wanted. @throws {QemuError} `QEMU_COMMAND_FAILED`, `QEMU_ABORTED`. */
export async function checkLayer(
  config: MachineConfig,
  { key }: DiskNow,
  { file, format }: DiskLayer,
  repair: 'leaks' | 'all' | undefined,
  signal: AbortSignal | undefined,
): Promise<CheckedImage> {
  const unchecked: CheckedImage = {
    key,
    file,
    format,
    outcome: 'unchecked',
    errors: 0,
    leakedClusters: 0,
    repaired: 0,
  };
  if (format === 'raw') return unchecked;
  const prefix = await imageUserPrefix(config, undefined);
  const call = ['check', '--output=json', ...(repair === undefined ? [] : ['-r', repair]), '-f', format, '--', file];
  const { exitCode, stdout, stderr } = await runQemuImg(call, { prefix, timeoutMs: CHECK_MS, signal });
  if (exitCode === NOT_SUPPORTED) return unchecked;
  if (!CHECKED.includes(exitCode)) {
    const [reason = ''] = stderr.trim().split('\n');
    throw new QemuError('QEMU_COMMAND_FAILED', `Cannot check "${file}": ${reason.replace(/^qemu-img: /, '')}`);
  }
  const report = asRecord(JSON.parse(stdout));
  const errors = asNumber(report['corruptions']) + asNumber(report['check-errors']);
  const leakedClusters = asNumber(report['leaks']);
  return {
    ...unchecked,
    outcome: errors > 0 ? 'damaged' : leakedClusters > 0 ? 'leaks' : 'ok',
    errors,
    leakedClusters,
    repaired: asNumber(report['corruptions-fixed']) + asNumber(report['leaks-fixed']),
  };
}
