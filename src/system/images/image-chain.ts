import type { Stats } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { withImage } from './image.ts';
import type { ImageDetail, ImageFile } from './image-file.ts';
import { detectFormat, readFormat } from './image-format.ts';
import { compressionOf } from './image-vmdk.ts';

/** One file of a disk. */
export interface ImageLayer {
  /**
   * `image`: the disk itself; `backing`: what it is an overlay of; `data`: where a qcow2 image has its data; `extent`:
   * a part of a VMware disk.
   */
  readonly role: 'image' | 'backing' | 'data' | 'extent';
  /** How many images are above the one that it belongs to: 0 for the disk, its data file and its extents. */
  readonly depth: number;
  /**
   * Absolute path; for what is not a file of this host the name as QEMU would open it, such as `nbd://10.0.0.1/base`.
   */
  readonly file: string;
  /** Not a file of this host. */
  readonly isRemote: boolean;
  readonly format: string;
  /** Neither the cfg nor a header gives the format: it was detected from the content. */
  readonly isGuessed: boolean;
  readonly detail: ImageDetail;
  /** Undefined if it could not be read. */
  readonly stats: Stats | undefined;
  /** First bytes, to detect that it changed. */
  readonly head: Buffer | undefined;
}

/** Why a disk cannot be used as it is. */
export interface ChainProblem {
  /** File that it is about. */
  readonly file: string;
  /** As a clause after the file's name: `is missing`. */
  readonly what: string;
  readonly hint?: string | undefined;
  /** The content is of this format and not of the one that it is to be opened as. */
  readonly found?: string | undefined;
  /** The error of reading the file. */
  readonly error?: QemuError | undefined;
}

/** A disk with everything that QEMU opens for it, the disk itself first. */
export interface ImageChain {
  readonly layers: readonly ImageLayer[];
  readonly problems: readonly ChainProblem[];
}

/** How {@link readChain} reads. */
export interface ChainOptions {
  /** Format of the disk (default: detected from its content). That of a block device is then `raw`. */
  readonly format?: string | undefined;
  /** Names of things that are not files of this host which headers may mention. */
  readonly allowed?: readonly string[] | undefined;
  /** Asked of each file that a header leads to, before it is opened; without it all are followed. */
  readonly judge?: JudgeLead | undefined;
  /** Files that were read for other disks at the same moment, and are not read again; what is read is added. */
  readonly known?: KnownLayers | undefined;
}

/** Files as they were read. */
export type KnownLayers = Map<string, { readonly layer: ImageLayer; readonly problems: readonly ChainProblem[] }>;

/** A file of this host that the header of an image leads to. */
export interface Lead {
  readonly role: 'backing' | 'data' | 'extent';
  /** The image that names it. */
  readonly from: string;
  /** As the header has it. */
  readonly name: string;
  readonly path: string;
}

/** Why QEMU must not be led there; undefined when it may. */
export type JudgeLead = (lead: Lead) => Pick<ChainProblem, 'what' | 'hint'> | undefined;

/** Longest chain: QEMU itself has no limit, but each image takes memory and descriptors. */
const MOST_LAYERS = 200;

const HEAD_BYTES = 512;

/**
 * Formats that a header may name for a backing file. What else QEMU knows by such names connects to somewhere or makes
 * a disk of a folder.
 */
const FORMATS: ReadonlySet<string> = new Set(
  'raw qcow2 qcow qed vmdk vdi vhdx vpc luks parallels bochs cloop dmg'.split(' '),
);

/**
 * Follows a disk through the headers of its images, by the rules of QEMU (path_has_protocol(),
 * bdrv_get_full_backing_filename() of its block.c, and the formats' own), without QEMU. Nothing that is not a file or a
 * block device is opened, and nothing is connected to. A disk that is `raw` has no header: whatever its guest writes
 * there, it leads to no other file.
 */
export function readChain(path: string, options: ChainOptions = {}): ImageChain {
  const layers: ImageLayer[] = [];
  const problems: ChainProblem[] = [];
  const allowed = options.allowed ?? [];
  const seen = new Set<string>();
  let isFull = false;
  const fills = (): boolean => {
    if (layers.length < MOST_LAYERS) return false;
    if (!isFull) problems.push({ file: path, what: `rests on more than ${MOST_LAYERS} files` });
    isFull = true;
    return true;
  };
  const visit = (file: string, role: ImageLayer['role'], depth: number, format: string | undefined): void => {
    if (fills()) return;
    const layer = readOnce(options.known, [file, role, depth, format], problems);
    layers.push(layer);
    if (layer.stats === undefined) return;
    const identity = `${layer.stats.dev}:${layer.stats.ino}`;
    if (seen.has(identity)) {
      problems.push({ file, what: 'is in its own chain of backing files twice' });
      return;
    }
    seen.add(identity);
    if (layer.detail.obstacle !== undefined) problems.push({ file, what: layer.detail.obstacle });
    for (const next of referencesOf(layer)) {
      if (fills()) return;
      if (next.name.includes('\u{fffd}')) {
        problems.push({ file, what: `names "${printable(next.name)}", which is not UTF-8` });
        continue;
      }
      const found = resolveName(next.name, dirname(file));
      if (found.kind === 'file') {
        const refused = options.judge?.({ role: next.role, from: file, name: next.name, path: found.path });
        if (refused) {
          problems.push({ file, ...refused });
          layers.push(unopenedLayer({ ...next, name: found.path, format: found.format ?? next.format }, depth, false));
          continue;
        }
        visit(found.path, next.role, depth + (next.role === 'backing' ? 1 : 0), found.format ?? next.format);
      } else {
        layers.push(unopenedLayer(next, depth, true));
        if (!allowed.includes(next.name)) problems.push(refusal(file, next.name));
      }
    }
  };
  visit(path, 'image', 0, options.format);
  return { layers, problems };
}

interface Reference {
  readonly role: 'backing' | 'data' | 'extent';
  readonly name: string;
  readonly format: string | undefined;
}

function referencesOf({ role, detail }: ImageLayer): Reference[] {
  if (role === 'data' || role === 'extent') return [];
  const { dataFile, extents = [], backingFile, backingFormat } = detail;
  return [
    ...(dataFile === undefined ? [] : [{ role: 'data', name: dataFile, format: 'raw' } as const]),
    ...extents.map((name) => ({ role: 'extent', name, format: 'raw' }) as const),
    ...(backingFile === undefined ? [] : [{ role: 'backing', name: backingFile, format: backingFormat } as const]),
  ];
}

type LayerArguments = readonly [file: string, role: ImageLayer['role'], depth: number, declared: string | undefined];

function readOnce(known: KnownLayers | undefined, args: LayerArguments, problems: ChainProblem[]): ImageLayer {
  const key = JSON.stringify(args);
  const found = known?.get(key);
  const own: ChainProblem[] = [];
  const layer = found?.layer ?? readLayer(...args, own);
  known?.set(key, found ?? { layer, problems: own });
  problems.push(...(found?.problems ?? own));
  return layer;
}

function readLayer(
  file: string,
  role: ImageLayer['role'],
  depth: number,
  declared: string | undefined,
  problems: ChainProblem[],
): ImageLayer {
  const known = { role, depth, file, isRemote: false } as const;
  const unread = { detail: {}, stats: undefined, head: undefined };
  if (declared !== undefined && !FORMATS.has(declared)) {
    problems.push({
      file,
      what: `is to be opened by QEMU's driver "${printable(declared)}", which is not an image format`,
    });
    return { ...known, ...unread, format: printable(declared), isGuessed: false };
  }
  try {
    return withImage(file, (image, stats) => {
      const { format, detail, mismatch } = examine(image, role, declared, stats);
      if (mismatch) {
        const found = detectFormat(image).format;
        problems.push({ file, what: `is to be opened as ${format}, but is ${found}`, found });
      }
      const isGuessed = declared === undefined && !stats.isBlockDevice();
      return { ...known, format, isGuessed, detail, stats, head: image.read(0, HEAD_BYTES) };
    });
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    problems.push({ file, what: 'cannot be read', error });
    return { ...known, ...unread, format: declared ?? 'raw', isGuessed: false };
  }
}

interface Examined {
  readonly format: string;
  readonly detail: ImageDetail;
  /** The content is not of the format that it is said to be. */
  readonly mismatch: boolean;
}

function examine(image: ImageFile, role: ImageLayer['role'], declared: string | undefined, stats: Stats): Examined {
  // Parts of a VMware disk are not images by themselves, but a compressed part makes the disk read-only.
  if (role === 'extent') return { format: 'raw', detail: compressionOf(image.read(0, HEAD_BYTES)), mismatch: false };
  const asIs = declared ?? (stats.isBlockDevice() ? 'raw' : undefined);
  if (asIs === undefined) {
    const { format, ...detail } = detectFormat(image);
    // Encrypted by a guest; what QEMU is to decrypt is declared.
    if (format === 'luks') return { format: 'raw', detail: {}, mismatch: false };
    return { format, detail, mismatch: false };
  }
  if (asIs === 'raw') return { format: 'raw', detail: {}, mismatch: false };
  const detail = readFormat(image, asIs);
  return { format: asIs, detail: detail ?? {}, mismatch: detail === undefined };
}

function unopenedLayer({ role, name, format }: Reference, depth: number, isRemote: boolean): ImageLayer {
  return {
    role,
    depth: depth + (role === 'backing' ? 1 : 0),
    file: printable(name),
    isRemote,
    format: printable(format ?? 'raw'),
    isGuessed: format === undefined,
    detail: {},
    stats: undefined,
    head: undefined,
  };
}

function refusal(file: string, name: string): ChainProblem {
  return {
    file,
    what: `leads QEMU to "${printable(name)}", which is not a file of this host`,
    hint: `if that is meant, allow it in the machine's file: backing=${printable(name)}`,
  };
}

/** A name from a header for a message: what could act on a terminal is left out. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?').slice(0, 200);
}

type Resolved =
  | { readonly kind: 'file'; readonly path: string; readonly format?: string | undefined }
  | { readonly kind: 'remote' };

/** What a name in a header leads to. */
function resolveName(name: string, folder: string): Resolved {
  if (name.startsWith('json:')) return resolveJson(name.slice('json:'.length));
  const [prefix] = /^[^:/]*:/.exec(name) ?? [];
  if (prefix === undefined) {
    // Not made shorter: ".." after a symbolic link is for the kernel to follow.
    return { kind: 'file', path: isAbsolute(name) ? name : `${folder === '/' ? '' : folder}/${name}` };
  }
  const rest = name.slice(prefix.length);
  return prefix === 'file:' && isAbsolute(rest) ? { kind: 'file', path: rest } : { kind: 'remote' };
}

/**
 * QEMU writes such names itself when a plain one would not be enough. Only those that come down to a file are taken for
 * one.
 */
function resolveJson(text: string): Resolved {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'remote' };
  }
  const { driver, file, ...rest } = isObject(value) ? value : {};
  if (typeof driver !== 'string' || Object.keys(rest).length > 0) return { kind: 'remote' };
  const inner = isObject(file) ? file : {};
  const { driver: protocol, filename, ...more } = inner;
  const isFile = protocol === 'file' || protocol === 'host_device';
  if (!isFile || typeof filename !== 'string' || !isAbsolute(filename) || Object.keys(more).length > 0) {
    return { kind: 'remote' };
  }
  return { kind: 'file', path: filename, format: driver };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
