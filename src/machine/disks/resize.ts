import { QemuError, QmpRefusedError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { locate } from '../run/locate.ts';
import { exclusively } from '../run/run-lock.ts';
import { refuseSaved } from '../state/saved-folder.ts';
import { refuseDuringWork } from '../work/do-work.ts';
import { chosenDisk, requireSame } from './chosen-disk.ts';
import { runningDisks } from './disk-access.ts';
import type { DiskNow } from './disk-layer.ts';
import { diskNode } from './disk-nodes.ts';
import { imageUserPrefix } from './image-user.ts';
import { stoppedDisks } from './stopped-disks.ts';

/** How to resize. */
export interface ResizeOptions {
  /** The size is what the disk grows by. */
  readonly relative?: boolean | undefined;
  /** Lets a disk of a stopped machine become smaller: what is past the new end is lost. */
  readonly shrink?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The size of a disk before and after. */
export interface ResizeResult {
  readonly key: string;
  readonly outcome: 'resized' | 'unchanged';
  /** Bytes that the guest sees. */
  readonly sizeBytes: number;
  readonly previousBytes: number;
}

/** QEMU counts in sectors. */
const SECTOR_BYTES = 512;
const RESIZE_MS = 120_000;

/**
 * Changes the size of a disk. The guest of a machine that runs sees it at once; its partitions and file systems are for
 * it to grow. QEMU itself would shrink a disk in use without a word: here, only `shrink` does, of a stopped machine.
 *
 * @param size bytes.
 * @throws {QemuError} `QEMU_USAGE` for a smaller size, `QEMU_DEVICE_UNKNOWN`, `QEMU_LOCKED` while a backup or other work
 * on the machine's disks goes on, `QEMU_QMP_REFUSED`, `QEMU_COMMAND_FAILED`, `QEMU_ABORTED`.
 */
export async function resizeDisk(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  { key, size }: { readonly key: string; readonly size: number },
  options: ResizeOptions = {},
): Promise<ResizeResult> {
  await refuseDuringWork(host, target, options.signal);
  const disk = chosenDisk(config, key);
  if (disk.snapshot || disk.readonly) {
    throw new QemuError('QEMU_USAGE', `Cannot resize DSK${disk.index}: nothing is written to it`);
  }
  const job: ResizeJob = { host, target, config, key: `DSK${disk.index}`, size, options };
  if (locate(target.files).kind === 'alive') return resizeRunning(job);
  return exclusively(host, target, { purpose: 'disk', signal: options.signal }, () =>
    locate(target.files).kind === 'alive' ? resizeRunning(job) : resizeStopped(job),
  );
}

/** What is to be resized. */
interface ResizeJob {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
  readonly key: string;
  readonly size: number;
  readonly options: ResizeOptions;
}

async function resizeRunning({ host, target, config, key, size, options }: ResizeJob): Promise<ResizeResult> {
  return runningDisks(host, target, options.signal).use(async (domain) => {
    const now = await diskNode(domain, key);
    requireSame(target, chosenDisk(config, key), now);
    const sizeBytes = newSize(now, size, options);
    if (sizeBytes < now.virtualSizeBytes) {
      throw new QemuError(
        'QEMU_USAGE',
        `${key} has ${now.virtualSizeBytes} bytes: it cannot become smaller while the machine runs`,
        {
          hint: 'make its partitions smaller, stop the machine, and use --shrink',
        },
      );
    }
    if (sizeBytes === now.virtualSizeBytes) return resultOf(now, sizeBytes);
    try {
      await domain.run('block_resize', { 'node-name': now.node, size: sizeBytes });
    } catch (error) {
      throw explain(error, key);
    }
    return resultOf(now, (await diskNode(domain, key)).virtualSizeBytes);
  });
}

/** A device of the host is as large as the host makes it. */
const DEVICE = /device files/i;
const DEVICE_HINT = 'make the device itself larger first, and then give its new size here';

/** QEMU names permissions on nodes; what is meant is a job. */
function explain(error: unknown, key: string): unknown {
  if (error instanceof QmpRefusedError && DEVICE.test(error.desc)) {
    return new QemuError('QEMU_QMP_REFUSED', `Cannot resize ${key}: ${error.desc}`, { hint: DEVICE_HINT });
  }
  if (!(error instanceof QmpRefusedError) || !/permission|is (?:busy|blocked|in use)/i.test(error.desc)) return error;
  return new QemuError('QEMU_LOCKED', `Cannot resize ${key} now: a backup or another job uses it`, {
    cause: error,
    hint: 'see: qemu-init jobs',
  });
}

async function resizeStopped({ host, target, config, key, size, options }: ResizeJob): Promise<ResizeResult> {
  const { signal, shrink } = options;
  refuseSaved(target.files, target.longName, `resize ${key}`);
  const [now] = await stoppedDisks(host, config, signal, [key]);
  if (now === undefined) throw new QemuError('QEMU_DEVICE_UNKNOWN', `There is no ${key}`);
  const sizeBytes = newSize(now, size, options);
  const isSmaller = sizeBytes < now.virtualSizeBytes;
  if (isSmaller && shrink !== true) {
    throw new QemuError('QEMU_USAGE', `${key} has ${now.virtualSizeBytes} bytes, more than the new size`, {
      hint: 'what is past the new end is lost; if that is meant: --shrink',
    });
  }
  if (sizeBytes === now.virtualSizeBytes) return resultOf(now, sizeBytes);
  const [{ file, format }] = now.layers;
  const prefix = await imageUserPrefix(config, undefined);
  const call = ['resize', '-q', ...(isSmaller ? ['--shrink'] : []), '-f', format, '--', file, String(sizeBytes)];
  const { exitCode, stderr } = await runQemuImg(call, { prefix, timeoutMs: RESIZE_MS, signal });
  if (exitCode !== 0) {
    const [reason = ''] = stderr.trim().split('\n');
    const hint = DEVICE.test(reason) ? 'its guest sees the size of the device at its next start' : undefined;
    throw new QemuError('QEMU_COMMAND_FAILED', `Cannot resize ${key}: ${reason.replace(/^qemu-img: /, '')}`, { hint });
  }
  const [after] = await stoppedDisks(host, config, signal, [key]);
  return resultOf(now, after?.virtualSizeBytes ?? sizeBytes);
}

function newSize({ virtualSizeBytes }: DiskNow, size: number, { relative }: ResizeOptions): number {
  const bytes = relative === true ? virtualSizeBytes + size : size;
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new QemuError('QEMU_USAGE', `${bytes} is not a size of a disk`);
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}

function resultOf({ key, virtualSizeBytes }: DiskNow, sizeBytes: number): ResizeResult {
  const outcome = sizeBytes === virtualSizeBytes ? 'unchanged' : 'resized';
  return { key, outcome, sizeBytes, previousBytes: virtualSizeBytes };
}
