import { asArray, asNumber, asRecord, asText, isRecord, optionalText } from '../../base/guards.ts';
import { isValidName } from '../../config/text/names.ts';
import type { CopiedDisk } from '../../machine/move/copied-disks.ts';
import type { SavedImage } from '../../machine/state/saved-record.ts';
import type { MoveOffer } from './move-offer.ts';

/**
 * What the two ends of a move say to each other, one JSON object a line. The receiving end begins with a {@link Hello};
 * then each {@link Request} of the source has one answer, which has a member `error` when it could not be done. A notice
 * may come before an answer. The source sends an empty line every few seconds: the other end gives up without any.
 */
export const PROTOCOL = 1;

/** First line of the receiving end. */
export interface Hello {
  readonly receive: number;
  readonly version: string;
  /** As a place, for people. */
  readonly place: string;
}

/** What the source asks for. After `receive` the next ones are about that guest, in this order. */
export type Request =
  /** A socket that says a word. */
  | { readonly do: 'listen' }
  /** How machines are known there, for a comparison of the nodes of a cluster. */
  | { readonly do: 'describe'; readonly names: readonly string[] }
  | { readonly do: 'check'; readonly offer: MoveOffer }
  | { readonly do: 'receive'; readonly offer: MoveOffer }
  | { readonly do: 'switching' }
  | { readonly do: 'arrived' }
  /** All that the disks were sent is to be on them. */
  | { readonly do: 'disks' }
  | { readonly do: 'release' }
  | { readonly do: 'finish' }
  | { readonly do: 'settle'; readonly name: string; readonly id: string; readonly says: Verdict };

/** What the source has decided about a guest whose move was interrupted. */
export type Verdict = 'handed-over' | 'kept';

/** The line of a program that may be a hello; shells may print other things first. Pure. */
export function readHello(line: string): Hello | undefined {
  const value = parse(line);
  const { receive, version, place } = asRecord(value);
  if (typeof receive !== 'number') return undefined;
  return { receive, version: asText(version), place: asText(place) };
}

/** An answer or a notice; undefined when it is neither. Pure. */
export function readAnswer(line: string): Readonly<Record<string, unknown>> | undefined {
  const value = parse(line);
  return isRecord(value) ? value : undefined;
}

/** A request; undefined when it is not one. Pure. */
export function readRequest(line: string): Request | undefined {
  const value = asRecord(parse(line));
  switch (value['do']) {
    case 'listen':
    case 'switching':
    case 'arrived':
    case 'disks':
    case 'release':
    case 'finish':
      return { do: value['do'] };
    case 'describe': {
      const names = asArray(value['names']);
      return names.every((name) => typeof name === 'string' && isValidName(name))
        ? { do: 'describe', names: texts(names) }
        : undefined;
    }
    case 'check':
    case 'receive': {
      const offer = readOffer(value['offer']);
      return offer && { do: value['do'], offer };
    }
    case 'settle': {
      const { name, id, says } = value;
      if (typeof name !== 'string' || !isValidName(name) || typeof id !== 'string') return undefined;
      return says === 'kept' || says === 'handed-over' ? { do: 'settle', name, id, says } : undefined;
    }
    default:
      return undefined;
  }
}

function readOffer(value: unknown): MoveOffer | undefined {
  const offer = asRecord(value);
  const { id, name, cfg, from, wasRunning } = offer;
  const shortName = optionalText(offer['shortName']);
  if (typeof id !== 'string' || typeof name !== 'string' || typeof cfg !== 'string' || typeof from !== 'string') {
    return undefined;
  }
  if (!isValidName(name) || (shortName !== undefined && !isValidName(shortName))) return undefined;
  const hardware = asRecord(offer['hardware']);
  const qemu = asRecord(hardware['qemu']);
  return {
    id,
    name,
    shortName,
    cfg,
    from,
    // Files of another host say nothing here.
    sourceRecord: undefined,
    hardware: {
      qemu: { version: asText(qemu['version']), binary: asText(qemu['binary']) },
      args: texts(hardware['args']),
      config: asText(hardware['config']),
      machineType: optionalText(hardware['machineType']),
      hostCpu: optionalText(hardware['hostCpu']),
    },
    features: Array.isArray(offer['features']) ? asArray(offer['features']).map(readWord) : undefined,
    macs: asArray(offer['macs']).map((each) => {
      const [nic, mac] = asArray(each);
      return [asNumber(nic), asText(mac)] as const;
    }),
    images: asArray(offer['images']).map(readImage),
    snapshots: typeof offer['snapshots'] === 'string' ? offer['snapshots'] : undefined,
    wasRunning: wasRunning === true,
    copyDisks: offer['copyDisks'] === true,
    keepConfig: offer['keepConfig'] === true,
    disks: asArray(offer['disks']).flatMap(readDisk),
  };
}

function readWord(value: unknown): readonly [string, number] {
  const [word, bits] = asArray(value);
  return [asText(word), asNumber(bits)];
}

function readDisk(value: unknown): CopiedDisk[] {
  const { key, format, sizeBytes, storedBytes } = asRecord(value);
  if (typeof key !== 'string' || !/^DSK[1-9]\d{0,3}$/.test(key)) return [];
  const sizes = { sizeBytes: asNumber(sizeBytes), storedBytes: asNumber(storedBytes) };
  return [{ key, format: format === 'raw' ? 'raw' : 'qcow2', ...sizes }];
}

function readImage(value: unknown): SavedImage {
  const image = asRecord(value);
  return {
    key: asText(image['key']),
    layers: asArray(image['layers']).map((each) => {
      const layer = asRecord(each);
      const file = layer['file'];
      return {
        path: asText(layer['path']),
        format: asText(layer['format']),
        file: isRecord(file)
          ? {
              sizeBytes: asNumber(file['sizeBytes']),
              mtimeNs: asText(file['mtimeNs']),
              inode: asText(file['inode']),
            }
          : undefined,
      };
    }),
  };
}

function texts(value: unknown): string[] {
  return asArray(value).map(asText);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
