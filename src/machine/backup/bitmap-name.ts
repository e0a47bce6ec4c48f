import { isPointName } from './point-name.ts';

/** What all bitmaps of backups begin with. */
const OWN = 'qi.backup.';

/** The point that a dirty bitmap continues: it has all that was written since then. */
export interface BitmapOf {
  /** Id of the chain of points. */
  readonly chain: string;
  readonly point: string;
  /** Fingerprint of the images that the disk rested on; `0` for none. */
  readonly bases: string;
}

/**
 * Name of the bitmap. It says by itself what it is good for, so that no record can disagree with it: it lives in the
 * image, and goes with each copy of it.
 */
export function bitmapName({ chain, point, bases }: BitmapOf): string {
  return `${OWN}${chain}.${point}.${bases}`;
}

/** The parts of such a name; undefined for a bitmap that is not of a backup. */
export function parseBitmapName(name: string): BitmapOf | undefined {
  if (!name.startsWith(OWN)) return undefined;
  const [chain, point, bases, ...rest] = name.slice(OWN.length).split('.');
  if (!chain || point === undefined || bases === undefined || rest.length > 0) return undefined;
  return isPointName(point) ? { chain, point, bases } : undefined;
}
