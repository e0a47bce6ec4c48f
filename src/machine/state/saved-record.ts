import { errorCode, QemuError } from '../../base/errors.ts';
import { asArray, asNumber, asText, isRecord } from '../../base/guards.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { type SavedStage, savedFiles } from './saved-folder.ts';

/** What a saved state belongs to, and how to see that it is whole. */
export interface SavedRecord {
  /** ISO 8601. */
  readonly savedAt: string;
  /** Whether the guest ran; else it stays paused after the load. */
  readonly wasRunning: boolean;
  readonly sizeBytes: number;
  /** CRC-32 of the stream, as of zlib. */
  readonly crc32: number;
  readonly qemu: { readonly version: string; readonly binary: string };
  /** Its arguments as it was started with. */
  readonly args: readonly string[];
  /** The cfg as it was started with: see `LaunchRecord.config`. */
  readonly config: string;
  /** Machine type with its version, such as `pc-q35-7.2`; undefined when QEMU did not report it. */
  readonly machineType: string | undefined;
  /** Identity of the host's processor, for a guest that sees it. */
  readonly hostCpu: string | undefined;
  /** Disks and discs, with all that they rest on. */
  readonly images: readonly SavedImage[];
  /** SHA-256 of files that the guest sees through other ways, by their paths. */
  readonly hashes: Readonly<Record<string, string>>;
  readonly slot: number | undefined;
  readonly bootId: string;
}

/** One image of the machine, when it was saved. */
export interface SavedImage {
  /** `DSK1`, `CDR1`. */
  readonly key: string;
  readonly layers: readonly SavedLayer[];
}

/** A file that an image consists of. */
export interface SavedLayer {
  readonly path: string;
  readonly format: string;
  /** Undefined for a device of the host. */
  readonly file: { readonly sizeBytes: number; readonly mtimeNs: string; readonly inode: string } | undefined;
}

type Files = Pick<MachinePaths, 'stateDir'>;

/** Most bytes of a record that are read. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Writes the record, so that it outlives a power cut.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`.
 */
export function writeSavedRecord(files: Files, stage: SavedStage, record: SavedRecord): void {
  const path = savedFiles(files, stage).record;
  writeFileAtomic(path, `${JSON.stringify(record, null, 1)}\n`, 0o600, { durable: true });
}

/** The record of a saved state; undefined when it is missing or damaged. */
export function readSavedRecord(files: Files, stage: SavedStage): SavedRecord | undefined {
  try {
    const text = readTextIfExists(savedFiles(files, stage).record) ?? '';
    const value: unknown = text.length > MOST_BYTES ? undefined : JSON.parse(text);
    return isRecord(value) ? fromJson(value) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof QemuError && errorCode(error) === 'QEMU_IO')) {
      return undefined;
    }
    throw error;
  }
}

function fromJson(value: Readonly<Record<string, unknown>>): SavedRecord | undefined {
  const { savedAt, wasRunning, sizeBytes, crc32, qemu, args, config, images, hashes, slot } = value;
  if (typeof savedAt !== 'string' || typeof wasRunning !== 'boolean' || typeof config !== 'string') return undefined;
  if (!isCount(sizeBytes) || !isCount(crc32) || !isRecord(qemu) || !isRecord(hashes)) return undefined;
  if (!Array.isArray(args) || !Array.isArray(images)) return undefined;
  return {
    savedAt,
    wasRunning,
    sizeBytes,
    crc32,
    qemu: { version: asText(qemu['version']), binary: asText(qemu['binary']) },
    args: args.filter((each) => typeof each === 'string'),
    config,
    machineType: optional(value['machineType']),
    hostCpu: optional(value['hostCpu']),
    images: images.filter(isRecord).map((image) => ({
      key: asText(image['key']),
      layers: asArray(image['layers']).filter(isRecord).map(layerFromJson),
    })),
    hashes: Object.fromEntries(Object.entries(hashes).map(([path, hash]) => [path, asText(hash)])),
    slot: isCount(slot) ? slot : undefined,
    bootId: asText(value['bootId']),
  };
}

function layerFromJson({ path, format, file }: Readonly<Record<string, unknown>>): SavedLayer {
  return {
    path: asText(path),
    format: asText(format),
    file: isRecord(file)
      ? { sizeBytes: asNumber(file['sizeBytes']), mtimeNs: asText(file['mtimeNs']), inode: asText(file['inode']) }
      : undefined,
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function optional(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
