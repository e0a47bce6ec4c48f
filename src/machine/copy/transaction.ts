import { jobId } from '../../domain/job-id.ts';

/** One image that is written. */
export interface Target {
  /** `dsk1`, or `vars` for the firmware's variables. */
  readonly id: string;
  /** Node that is copied. */
  readonly source: string;
  /** Name in the folder of the point. */
  readonly file: string;
  readonly format: string;
  readonly sizeBytes: number;
  readonly since?: string | undefined;
  readonly track?: string | undefined;
  readonly backing?: string | undefined;
}

/** How they are written. */
export interface CopyOptions {
  /** Bytes a second, of all together. */
  readonly rate?: number | undefined;
  readonly compress: boolean;
  /** A full target makes the job wait. */
  readonly waitForSpace: boolean;
}

type Arguments = Readonly<Record<string, unknown>>;

/** Name of the node that a target's content is written to. */
export function targetNode({ id }: Pick<Target, 'id'>): string {
  return `bk-${id}-fmt`;
}

/** Name of the node of its file. */
export function targetFileNode({ id }: Pick<Target, 'id'>): string {
  return `bk-${id}-file`;
}

/** Id of the job that copies it. */
export function copyJob({ id }: Pick<Target, 'id'>, chain: string): string {
  return jobId('backup', id, chain);
}

/** Until the copy is whole nothing is flushed, which is three times as fast; then this process does it, once. */
const CACHE = { direct: false, 'no-flush': true };

/**
 * The nodes of a target, for `blockdev-add`. Its backing file is not opened: only whole clusters are written. Pure.
 *
 * @param folder where QEMU reaches the files.
 */
export function targetNodes(target: Target, folder: string): Arguments[] {
  const file = targetFileNode(target);
  return [
    { driver: 'file', 'node-name': file, filename: `${folder}/${target.file}`, cache: CACHE },
    formatNodeOf(target),
  ];
}

/**
 * The upper node for `blockdev-reopen`, read-only: for that QEMU writes what it still has of the image in its memory,
 * and reports when it cannot, which it does not when it closes one. Pure.
 */
export function finalNode(target: Pick<Target, 'id' | 'format'>): Arguments {
  return { ...formatNodeOf(target), 'read-only': true };
}

function formatNodeOf(target: Pick<Target, 'id' | 'format'>): Arguments {
  return {
    driver: target.format,
    'node-name': targetNode(target),
    file: targetFileNode(target),
    cache: CACHE,
    ...(target.format === 'qcow2' && { backing: null }),
  };
}

/** All copies as of one instant, and the bitmaps that begin with it, for `transaction`. Pure. */
export function transactionOf(targets: readonly Target[], chain: string, options: CopyOptions): Arguments {
  const tracks = targets.flatMap(({ source, track }) =>
    track === undefined
      ? []
      : [{ type: 'block-dirty-bitmap-add', data: { node: source, name: track, persistent: true } }],
  );
  const copies = targets.map((target) => ({
    type: 'blockdev-backup',
    data: {
      'job-id': copyJob(target, chain),
      device: target.source,
      target: targetNode(target),
      // The bitmap stays as it is until the point is whole: then the new one takes its place.
      ...(target.since === undefined
        ? { sync: 'full' }
        : { sync: 'bitmap', bitmap: target.since, 'bitmap-mode': 'never' }),
      ...(options.rate !== undefined && { speed: shareOf(options.rate, targets.length) }),
      compress: options.compress && target.format === 'qcow2',
      'on-target-error': options.waitForSpace ? 'enospc' : 'report',
      'auto-dismiss': false,
    },
  }));
  return { actions: [...tracks, ...copies] };
}

/** The part of each of several jobs; QEMU takes 0 for no limit. */
export function shareOf(rate: number, jobs: number): number {
  return Math.max(1, Math.floor(rate / Math.max(1, jobs)));
}
