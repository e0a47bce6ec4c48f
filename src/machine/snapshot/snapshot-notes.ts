import { existsSync } from 'node:fs';
import { asArray, asRecord, asText, isRecord, optionalText } from '../../base/guards.ts';
import { ensureDir, readTextIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';

/** A layer that an external snapshot has put above another one. */
export interface SnapshotLayer {
  /** `DSK1` */
  readonly key: string;
  /** The image as it was then; absolute. */
  readonly base: string;
  readonly format: string;
  /** What has been written since; absolute. */
  readonly overlay: string;
}

/**
 * What is known of a snapshot besides what the images contain. Of one inside the images all of it may be lost; which
 * layers an external one is made of is only here and in the headers of the images.
 */
export interface SnapshotNote {
  readonly name: string;
  /** ISO 8601. */
  readonly created: string;
  readonly description: string | undefined;
  /** Whether the file systems were frozen; undefined: not known. */
  readonly quiesced: boolean | undefined;
  /** The disks that it was made of; undefined: not known. */
  readonly disks?: readonly string[] | undefined;
  /** Of an external one. */
  readonly layers: readonly SnapshotLayer[];
  /** What the disks were before it was reverted to; nothing rests on these files. */
  readonly abandoned?: readonly string[] | undefined;
  /** Of one with memory: the options of QEMU that make up what the guest sees. Undefined: not known. */
  readonly hardware?: readonly string[] | undefined;
  /** What the TPM had: its files in Base64, by their names. Undefined: there was none, or it is not known. */
  readonly tpm?: TpmNote | undefined;
}

/** Files of a TPM in Base64, by their names. */
export type TpmNote = Readonly<Record<string, string>>;

type Files = Pick<MachinePaths, 'snapshots' | 'stateDir'>;

/**
 * The notes of a machine, oldest first, without layers that are gone: a merge that was interrupted removes their overlay.
 * A file that is damaged counts as none.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`.
 */
export function readSnapshotNotes(files: Files): SnapshotNote[] {
  return readAll(files).flatMap(withLayersThere);
}

function readAll({ snapshots }: Files): SnapshotNote[] {
  try {
    const value: unknown = JSON.parse(readTextIfExists(snapshots) ?? '[]');
    return asArray(value).flatMap((each) => fromJson(each) ?? []);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function withLayersThere(note: SnapshotNote): SnapshotNote[] {
  if (note.layers.length === 0) return [note];
  const layers = note.layers.filter(({ base, overlay }) => existsSync(base) && existsSync(overlay));
  return layers.length === 0
    ? []
    : [{ ...note, layers, abandoned: note.abandoned?.filter((file) => existsSync(file)) }];
}

/** Writes the notes, so that they outlive a power cut. @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`. */
export function writeSnapshotNotes({ snapshots, stateDir }: Files, notes: readonly SnapshotNote[]): void {
  ensureDir(stateDir, 0o700);
  writeFileAtomic(snapshots, `${JSON.stringify(notes, null, 1)}\n`, 0o600, { durable: true });
}

/** Adds a note, or replaces the one of that name. */
export function noteSnapshot(files: Files, note: SnapshotNote): void {
  writeSnapshotNotes(files, [...readSnapshotNotes(files).filter(({ name }) => name !== note.name), note]);
}

/** Forgets the note of that name. */
export function forgetSnapshot(files: Files, name: string): void {
  const notes = readSnapshotNotes(files);
  const left = notes.filter((note) => note.name !== name);
  if (left.length < notes.length) writeSnapshotNotes(files, left);
}

function fromJson(value: unknown): SnapshotNote | undefined {
  if (!isRecord(value)) return undefined;
  const { name, created, quiesced, hardware } = value;
  if (typeof name !== 'string' || typeof created !== 'string') return undefined;
  return {
    name,
    created,
    description: optionalText(value['description']),
    quiesced: typeof quiesced === 'boolean' ? quiesced : undefined,
    disks: Array.isArray(value['disks']) ? value['disks'].filter((each) => typeof each === 'string') : undefined,
    hardware: Array.isArray(hardware) ? hardware.filter((each) => typeof each === 'string') : undefined,
    abandoned: asArray(value['abandoned']).filter((each) => typeof each === 'string'),
    layers: layersFrom(value['layers']),
    tpm: tpmFrom(value['tpm']),
  };
}

/** The contents of a TPM as they are in JSON; undefined when there are none. */
export function tpmFrom(value: unknown): TpmNote | undefined {
  const files = Object.entries(asRecord(value)).flatMap(([name, text]) =>
    typeof text === 'string' ? [[name, text]] : [],
  );
  return files.length === 0 ? undefined : Object.fromEntries(files);
}

/** Layers as they are in JSON; what is no layer is left out. */
export function layersFrom(value: unknown): SnapshotLayer[] {
  return asArray(value).flatMap((each) => {
    const { key, base, format, overlay } = asRecord(each);
    const texts = [key, base, format, overlay];
    if (!texts.every((text) => typeof text === 'string' && text !== '')) return [];
    return [{ key: asText(key), base: asText(base), format: asText(format), overlay: asText(overlay) }];
  });
}

/** After an overlay was merged into its base: snapshots that rested on it rest on that. It may be gone already. */
export function forgetLayer(files: Files, merged: SnapshotLayer): void {
  const { key, base, format, overlay } = merged;
  const notes = readAll(files).flatMap((note): SnapshotNote[] => {
    const layers = note.layers.flatMap((layer): SnapshotLayer[] => {
      if (layer.key !== key) return [layer];
      if (layer.overlay === overlay) return [];
      return [layer.base === overlay ? { ...layer, base, format } : layer];
    });
    return note.layers.length > 0 && layers.length === 0 ? [] : [{ ...note, layers }];
  });
  writeSnapshotNotes(files, notes);
}
