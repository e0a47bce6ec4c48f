import { isDeepStrictEqual } from 'node:util';
import type { Device, Drive, Part } from '../argv/description.ts';
import { countPlugged } from './room.ts';
import { identityOf, plain, type Running } from './running.ts';

/** The parts of one key that are not as they run. */
export interface PartsChange {
  /** `DSK1`, `RAM`; of what no key is for, the option: `-mon`. */
  readonly key: string;
  /** As they run; of a part that is new there is none. */
  readonly was: readonly Part[];
  /** As they are to be. */
  readonly becomes: readonly Part[];
}

/**
 * What differs between a machine that runs and what its parts would be at a start. The order in which devices boot is
 * not a part of them here: it can always be changed. Pure.
 */
export function compareParts(running: Pick<Running, 'parts' | 'plugged'>, wanted: readonly Part[]): PartsChange[] {
  const left = new Map(
    countPlugged(running.parts)
      .filter(counts)
      .map((part) => [identityOf(part), part]),
  );
  const plugged = new Set(running.plugged);
  const changes = new Map<string, { was: Part[]; becomes: Part[] }>();
  const changeOf = (part: Part): { was: Part[]; becomes: Part[] } => {
    const key = keyOf(part);
    const change = changes.get(key) ?? { was: [], becomes: [] };
    changes.set(key, change);
    return change;
  };
  for (const part of wanted.filter(counts)) {
    const identity = identityOf(part);
    const was = left.get(identity);
    left.delete(identity);
    if (was !== undefined && isSame(was, part, plugged)) continue;
    const change = changeOf(part);
    change.becomes.push(part);
    if (was !== undefined) change.was.push(was);
  }
  for (const part of left.values()) if (!isLastingController(part)) changeOf(part).was.push(part);
  return [...changes].map(([key, change]) => ({ key, ...change }));
}

function keyOf(part: Part): string {
  return part.key === '' && part.kind === 'option' ? (part.args[0] ?? '') : part.key;
}

/**
 * How a start begins is nothing that runs; and bridges that fill holes are only needed by devices that are functions of
 * their slots, where a running machine takes none.
 */
function counts(part: Part): boolean {
  if (part.kind === 'option') return part.args[0] !== '-S' && part.args[0] !== '--preconfig';
  return part.kind !== 'device' || !/^slot\d+$/.test(part.id ?? '');
}

/** A controller without devices does no harm, and the next device finds it. */
function isLastingController(part: Part): boolean {
  return part.kind === 'device' && (part.id === 'scsi0' || part.id === 'usb');
}

function isSame(was: Part, wanted: Part, plugged: ReadonlySet<string>): boolean {
  return isDeepStrictEqual(essence(was, plugged), essence(wanted, plugged));
}

/** What a part is, without its key, which is that of the first device that needs it, and without what may differ. */
function essence(part: Part, plugged: ReadonlySet<string>): object {
  switch (part.kind) {
    case 'device':
      return deviceEssence(part, plugged);
    case 'drive':
      return plain({ ...part, key: '', image: imageEssence(part) });
    default:
      return plain({ ...part, key: '' });
  }
}

function deviceEssence({ driver, id, drive, properties, bus, addr }: Device, plugged: ReadonlySet<string>): object {
  const place = plugged.has(id ?? '') ? {} : { bus, addr };
  return plain({ driver, id, drive: drive?.id, properties: { ...properties, bootindex: undefined }, ...place });
}

/** Files that an image rests on are found again through it; that they are named or not changes nothing that runs. */
function imageEssence({ image }: Pick<Drive, 'image'>): object | undefined {
  return image && { file: image.file, format: image.format, secret: image.secret };
}
