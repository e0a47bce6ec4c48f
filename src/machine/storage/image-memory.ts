import { createHash } from 'node:crypto';
import { realpathSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { ensureDir, namesIn, readTextIfExists, removeIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { ImageLayer } from '../../system/images/image-chain.ts';
import type { Paths } from '../../system/paths.ts';

/** What a disk was like when its machine last started. */
export interface KnownDisk {
  readonly file: string;
  /** The file itself, under whatever name; undefined for what could not be looked at. */
  readonly identity: string | undefined;
  readonly format: string;
  /** Real paths of the disk and of the files that its headers led to; undefined until a start has followed them. */
  readonly leads?: readonly string[] | undefined;
}

/** What the base of an overlay was like when the overlay was first used. */
export interface KnownBase {
  readonly file: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** Hash of its first bytes. */
  readonly head: string;
}

/** What is remembered of a machine's images from one start to the next. */
export interface ImageMemory {
  readonly disks: readonly KnownDisk[];
  readonly bases: readonly KnownBase[];
}

const NOTHING: ImageMemory = { disks: [], bases: [] };

/** What is remembered of a machine; nothing when there is no note, or none that the caller may read. */
export function readImageMemory(paths: Paths, longName: string): ImageMemory {
  const text = ifPermitted(() => readTextIfExists(noteOf(paths, longName)));
  if (text === undefined) return NOTHING;
  try {
    const value: unknown = JSON.parse(text);
    return { disks: listIn(value, 'disks').filter(isDisk), bases: listIn(value, 'bases').filter(isBase) };
  } catch (error) {
    if (error instanceof SyntaxError) return NOTHING;
    throw error;
  }
}

/**
 * Notes what a machine's images are like. The file is only touched when there is something new.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`.
 */
export function writeImageMemory(paths: Paths, longName: string, memory: ImageMemory): void {
  const text = `${JSON.stringify(memory, null, 1)}\n`;
  const note = noteOf(paths, longName);
  if (readTextIfExists(note) === text) return;
  ensureDir(paths.stateDir, 0o755);
  ensureDir(paths.imagesDir, 0o700);
  writeFileAtomic(note, text, 0o600, { durable: true });
  recent = NEVER;
}

/** Whether anything is remembered of a machine. */
export function hasImageMemory(paths: Paths, longName: string): boolean {
  return ifPermitted(() => readTextIfExists(noteOf(paths, longName))) !== undefined;
}

/** Removes the note of the images of a machine that no longer exists. */
export function forgetImages(paths: Paths, longName: string): void {
  removeIfExists(noteOf(paths, longName));
  recent = NEVER;
}

/** Keeps the note of a machine under another name of it. */
export function moveImageMemory(paths: Paths, from: string, to: string): void {
  if (!hasImageMemory(paths, from)) return;
  writeImageMemory(paths, to, readImageMemory(paths, from));
  forgetImages(paths, from);
}

/** Takes the bases of a machine's overlays, and which they are, as they are at its next start. */
export function forgetBases(paths: Paths, longName: string): void {
  const memory = readImageMemory(paths, longName);
  if (memory.bases.length === 0 && memory.disks.every(({ leads }) => leads === undefined)) return;
  const disks = memory.disks.map(({ file, identity, format }) => ({ file, identity, format }));
  writeImageMemory(paths, longName, { disks, bases: [] });
}

/** Takes one base as it is at the next start: a layer above it was written into it on purpose. */
export function forgetBase(paths: Paths, longName: string, file: string): void {
  const memory = readImageMemory(paths, longName);
  const bases = memory.bases.filter((base) => base.file !== file && realPath(base.file) !== realPath(file));
  if (bases.length < memory.bases.length) writeImageMemory(paths, longName, { ...memory, bases });
}

/** What a disk may lead to because it did before. */
export interface KnownLeads {
  /** Real paths of the machine's disks, on which snapshots of them rest, and of what they rested on. */
  readonly files: ReadonlySet<string>;
  /** The disk was started before, by this machine or, whatever its name was, by another. */
  readonly isStarted: boolean;
}

/** What the disk of a machine may lead to because it did before. */
export function knownLeads(paths: Paths, longName: string, file: string): KnownLeads {
  const isDisk = matcher(file);
  const all = allDisks(paths);
  const own = all.filter(({ machine }) => machine === longName);
  const records = all.filter(isDisk);
  const same = own.find(isDisk) ?? records.find(({ leads }) => leads !== undefined);
  const files = [...own, ...(same ? [same] : [])].flatMap(({ leads = [] }) => leads);
  return { files: new Set(files), isStarted: same?.leads !== undefined };
}

/** The other machine whose disk a file was when that was last started. */
export function ownerOfDisk(paths: Paths, longName: string, file: string): string | undefined {
  const isDisk = matcher(file);
  return allDisks(paths).find((known) => known.machine !== longName && isDisk(known))?.machine;
}

function matcher(file: string): (known: KnownDisk) => boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  const identity = stats && identityOf(stats);
  return (known) => known.file === file || (identity !== undefined && known.identity === identity);
}

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

/**
 * Format that an image had when it was last used: by this machine under this name, or by any machine whatever the name
 * was then, so that neither a new name nor another machine makes an old disk a new one.
 */
export function knownFormat(
  paths: Paths,
  longName: string,
  { file, stats, found }: { readonly file: string; readonly stats: Stats; readonly found: string },
): string | undefined {
  const identity = identityOf(stats);
  const matches = (known: KnownDisk): boolean => known.file === file || known.identity === identity;
  const own = readImageMemory(paths, longName).disks.find(matches);
  // Of a disk that looks raw there is nothing to fear from what it was elsewhere.
  if (own || found === 'raw') return own?.format;
  return allDisks(paths).find(matches)?.format;
}

interface Look {
  readonly folder: string;
  readonly at: number;
  readonly disks: readonly (KnownDisk & { readonly machine: string })[];
}

const NEVER: Look = { folder: '', at: Number.NEGATIVE_INFINITY, disks: [] };
let recent = NEVER;
const RECENT_MS = 1_000;

/** The disks of all machines, as they were at most a second ago: one command asks for many. */
function allDisks(paths: Paths): Look['disks'] {
  const now = performance.now();
  if (recent.folder !== paths.imagesDir || now - recent.at > RECENT_MS) {
    const disks = namesOfNotes(paths).flatMap((name) =>
      readImageMemory(paths, name).disks.map((disk) => ({ ...disk, machine: name })),
    );
    recent = { folder: paths.imagesDir, at: now, disks };
  }
  return recent.disks;
}

/** A disk as it is to be remembered, with what it leads to. */
export function knownDisk(layers: readonly ImageLayer[]): KnownDisk[] {
  const [disk] = layers;
  if (disk === undefined) return [];
  const { file, format, stats } = disk;
  const leads = layers.flatMap((layer) => (layer.stats === undefined ? [] : [realPath(layer.file)]));
  return [{ file, identity: stats && identityOf(stats), format, leads: [...new Set(leads)] }];
}

/** A base as it is to be remembered; undefined for a device, whose time of change says nothing. */
export function knownBase({ file, stats, head, isRemote }: ImageLayer): KnownBase | undefined {
  if (isRemote || stats === undefined || head === undefined || !stats.isFile()) return undefined;
  const hash = createHash('sha256').update(head).digest('hex').slice(0, HASH_DIGITS);
  return { file, sizeBytes: stats.size, mtimeMs: stats.mtimeMs, head: hash };
}

/** Whether a base is as it was. */
export function isSameBase(a: KnownBase, b: KnownBase): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs && a.head === b.head;
}

const HASH_DIGITS = 16;

/**
 * Numbers of deleted files are used again; together with the time when a file was made they are its own. Devices get
 * other numbers at the next boot, so theirs only counts where the file system does not tell that time; there a new file
 * may be taken for an old one, which costs a word in the cfg, while an old one that is taken for new would cost a
 * secret.
 */
function identityOf({ dev, ino, birthtimeMs }: Stats): string {
  return birthtimeMs > 0 ? `${ino}:${birthtimeMs}` : `${dev}:${ino}`;
}

function noteOf(paths: Paths, longName: string): string {
  return join(paths.imagesDir, `${longName}.json`);
}

function namesOfNotes(paths: Paths): string[] {
  const names = ifPermitted(() => namesIn(paths.imagesDir)) ?? [];
  return names.flatMap((name) => /^([^.].*)\.json$/.exec(name)?.[1] ?? []);
}

/** A look by a user who could not start the machine anyway does without. */
function ifPermitted<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_NOT_PERMITTED') return undefined;
    throw error;
  }
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const list: unknown = isObject(value) ? value[name] : undefined;
  return Array.isArray(list) ? list : [];
}

function isDisk(value: unknown): value is KnownDisk {
  if (!isObject(value)) return false;
  const { file, identity, format, leads = [] } = value;
  return (
    typeof file === 'string' &&
    typeof format === 'string' &&
    ['string', 'undefined'].includes(typeof identity) &&
    Array.isArray(leads) &&
    leads.every((lead) => typeof lead === 'string')
  );
}

function isBase(value: unknown): value is KnownBase {
  if (!isObject(value)) return false;
  const { file, sizeBytes, mtimeMs, head } = value;
  return (
    typeof file === 'string' && typeof head === 'string' && typeof sizeBytes === 'number' && typeof mtimeMs === 'number'
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
