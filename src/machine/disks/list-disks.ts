import type { MachineConfig } from '../../config/types.ts';
import { Domain } from '../../domain/domain.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withOwnMonitor } from '../control/control-port.ts';
import { locate } from '../run/locate.ts';
import type { DirtyBitmap, DiskLayer, DiskNow, ImageSnapshot } from './disk-layer.ts';
import { diskNodes } from './disk-nodes.ts';
import { stoppedDisks } from './stopped-disks.ts';

/** QEMU answers in a millisecond; one that is busy with a slow disk may take seconds. */
const MONITOR_MS = 10_000;

/** The disks of a machine, and whether it is QEMU who says so. */
export interface DiskList {
  /** Whether the machine runs. */
  readonly running: boolean;
  readonly disks: readonly ListedDisk[];
}

/** One of them, as `disk list --json` has it. */
export interface ListedDisk {
  /** Key in the machine's file: `DSK1`. */
  readonly key: string;
  /** Path of the image that the guest writes to, or what QEMU calls something else. */
  readonly file: string;
  /** Format driver such as `qcow2`. */
  readonly format: string;
  /** Bytes that the guest sees. */
  readonly virtualSizeBytes: number;
  /** Bytes that the image takes on the host; undefined: not known. */
  readonly actualSizeBytes: number | undefined;
  /** QEMU's name of its node; undefined for a machine that does not run. */
  readonly node: string | undefined;
  /** `ok`, `failed` or `nospace`; undefined for a machine that does not run, and for disks that stop nothing. */
  readonly ioStatus: string | undefined;
  /** What the guest writes is refused. */
  readonly readonly: boolean;
  /** The image, and those that it rests on, from the top down; at least one. */
  readonly chain: readonly ListedImage[];
  readonly bitmaps: readonly DirtyBitmap[];
  readonly snapshots: readonly ImageSnapshot[];
}

/** An image that a disk consists of. */
export type ListedImage = Omit<DiskLayer, 'fileNode' | 'corrupt'>;

/**
 * The disks of a machine: of one that runs as QEMU has them, else as its images on this host are.
 *
 * @throws {QemuError} `QEMU_TIMEOUT` when QEMU does not answer; as {@link stoppedDisks}; `QEMU_ABORTED`.
 */
export async function listDisks(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  signal?: AbortSignal,
): Promise<DiskList> {
  if (locate(target.files).kind !== 'alive') {
    const stopped = await stoppedDisks(host, config, signal);
    return { running: false, disks: stopped.map(listed) };
  }
  const limits = { timeoutMs: MONITOR_MS, signal };
  const disks = await withOwnMonitor(host, target, limits, (client) =>
    diskNodes(new Domain(client, target.longName), limits),
  );
  return { running: true, disks: disks.map(listed) };
}

function listed({ key, node, layers, virtualSizeBytes, ioStatus, readonly }: DiskNow): ListedDisk {
  const [{ file, format, actualSizeBytes, bitmaps, snapshots }] = layers;
  return {
    key,
    file,
    format,
    virtualSizeBytes,
    actualSizeBytes,
    node,
    ioStatus,
    readonly,
    chain: layers.map(listedImage),
    bitmaps,
    snapshots,
  };
}

function listedImage({
  file,
  format,
  node,
  virtualSizeBytes,
  actualSizeBytes,
  bitmaps,
  snapshots,
}: DiskLayer): ListedImage {
  return { file, format, node, virtualSizeBytes, actualSizeBytes, bitmaps, snapshots };
}
