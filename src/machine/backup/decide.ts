import type { SourceDisk } from '../copy/source-disk.ts';
import type { DirtyBitmap } from '../disks/disk-layer.ts';
import { bitmapName, parseBitmapName } from './bitmap-name.ts';
import type { BackupManifest } from './manifest.ts';

/** The last point of a machine in the folder of its backups. */
export type LastPoint =
  | { readonly point: string; readonly manifest: BackupManifest }
  /** It cannot be continued: why, as a clause. */
  | { readonly point: string; readonly problem: string };

/** What is to be made. */
export interface PointPlan {
  readonly point: string;
  readonly chain: string;
  readonly kind: 'full' | 'incremental';
  /** Why it is full although there is a point before it. */
  readonly reason?: string | undefined;
  readonly parent?: string | undefined;
  readonly disks: readonly DiskPlan[];
}

/** What is copied of a disk. */
export interface DiskPlan {
  readonly source: SourceDisk;
  /** Name in the folder of the point. */
  readonly file: string;
  /** Copies what this bitmap has; undefined: all of the disk. */
  readonly since?: string | undefined;
  /** Bitmap that begins with this point; undefined for images that cannot hold one. */
  readonly track?: string | undefined;
  /** Backing file, as the image has it in its header. */
  readonly backing?: string | undefined;
}

/** What is known when a backup begins. */
export interface Situation {
  readonly point: string;
  /** Id for a new chain. */
  readonly newChain: string;
  readonly sources: readonly SourceDisk[];
  readonly last: LastPoint | undefined;
  /** A full one is asked for. */
  readonly isFull: boolean;
}

/** Decides whether a point can rest on the one before. Pure. */
export function decide({ point, newChain, sources, last, isFull }: Situation): PointPlan {
  const reason = last && (isFull ? 'asked for' : whyFull(sources, last));
  if (last === undefined || reason !== undefined || 'problem' in last) {
    const disks = sources.map((source) => planOf(source, newChain, point));
    return { point, chain: newChain, kind: 'full', ...(reason !== undefined && { reason }), disks };
  }
  const { manifest, point: parent } = last;
  const disks = sources.map((source): DiskPlan => {
    const plan = planOf(source, manifest.chain, point);
    const before = source.canTrack ? manifest.disks.find(({ key }) => key === source.key) : undefined;
    if (!before) return plan;
    return { ...plan, since: continuing(source, manifest.chain, parent)?.name, backing: `../${parent}/${before.file}` };
  });
  return { point, chain: manifest.chain, kind: 'incremental', parent, disks };
}

function planOf(source: SourceDisk, chain: string, point: string): DiskPlan {
  const track = source.canTrack ? bitmapName({ chain, point, bases: source.bases }) : undefined;
  return { source, file: `${source.key.toLowerCase()}.qcow2`, track };
}

function continuing({ bitmaps, bases }: SourceDisk, chain: string, point: string): DirtyBitmap | undefined {
  return bitmaps.find(({ name }) => name === bitmapName({ chain, point, bases }));
}

/** Why the last point cannot be continued; undefined when it can. */
function whyFull(sources: readonly SourceDisk[], last: LastPoint): string | undefined {
  if ('problem' in last) return `the last point, ${last.point}, ${last.problem}`;
  const { point, manifest } = last;
  const now = sources.map(({ key }) => key);
  const added = now.filter((key) => !manifest.disks.some((disk) => disk.key === key));
  const removed = manifest.disks.map(({ key }) => key).filter((key) => !now.includes(key));
  if (added.length > 0) return `${added.join(', ')} is not in the last point, ${point}`;
  if (removed.length > 0) return `the machine no longer has ${removed.join(', ')}`;
  if (!sources.some(({ canTrack }) => canTrack)) return 'only qcow2 images can remember what changed';
  for (const source of sources) {
    const reason = whyNotContinued(source, last.point, manifest);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function whyNotContinued(source: SourceDisk, point: string, manifest: BackupManifest): string | undefined {
  const { key, path, sizeBytes, canTrack, bitmaps, bases } = source;
  const before = manifest.disks.find((disk) => disk.key === key);
  if (before?.virtualSizeBytes !== sizeBytes) {
    return `${key} had ${before?.virtualSizeBytes} bytes at ${point} and has ${sizeBytes} now`;
  }
  if (!canTrack) return undefined;
  const of = bitmaps.filter(({ name }) => {
    const parsed = parseBitmapName(name);
    return parsed?.chain === manifest.chain && parsed.point === point;
  });
  const bitmap = of.find(({ name }) => parseBitmapName(name)?.bases === bases);
  if (bitmap && isUsable(bitmap)) return undefined;
  if (bitmap?.inconsistent) {
    return `the bitmap of ${key} is not complete: QEMU or the host went down before it was stored`;
  }
  if (bitmap) return `the bitmap of ${key} is in use`;
  if (of.length > 0) return `the image that ${key} rests on has changed since ${point}`;
  // An external snapshot has laid an overlay above it, for instance.
  if (path !== before.sourcePath) return `${key} was "${before.sourcePath}" at ${point} and is "${path}" now`;
  return `${key} has no bitmap of ${point}: the image was replaced or reverted, or QEMU or the host went down`;
}

/** Whether it has missed nothing, and no job has it. */
function isUsable({ inconsistent, recording, persistent, busy }: DirtyBitmap): boolean {
  return !inconsistent && recording && persistent && !busy;
}

/** Chains in other folders whose bitmaps are kept, so that backups to several folders can take turns. */
const MOST_OTHER_CHAINS = 3;

/**
 * The bitmaps of a disk that no backup can use once this point is whole: earlier ones of its chain and of the one that
 * it takes the place of, those that are damaged, and those of more than three other chains. Pure.
 */
export function outdatedBitmaps(
  source: Pick<SourceDisk, 'bitmaps'>,
  { chain, point }: Pick<PointPlan, 'chain' | 'point'>,
  lastChain: string | undefined,
): string[] {
  const own = source.bitmaps.flatMap((bitmap) => {
    const of = parseBitmapName(bitmap.name);
    return of === undefined ? [] : [{ ...bitmap, ...of }];
  });
  const others = [...new Set(own.map((each) => each.chain))]
    .filter((each) => each !== chain && each !== lastChain)
    // A chain's id begins with the time of its first point.
    .toSorted()
    .slice(-MOST_OTHER_CHAINS);
  return own
    .filter((each) => each.inconsistent || (each.chain === chain ? each.point !== point : !others.includes(each.chain)))
    .map(({ name }) => name);
}
