import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { isNotFound } from '../../base/errors.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { fileError } from '../../system/files/file-error.ts';
import { isThere } from '../../system/files/files.ts';
import { readSmallImage } from '../../system/images/small-image.ts';
import type { MachinePaths, Paths } from '../../system/paths.ts';
import { customDisks } from '../check/custom-disks.ts';
import { findFirmware } from '../start/firmware.ts';
import { diskChain } from '../storage/disk-chain.ts';
import type { SavedImage, SavedLayer } from './saved-record.ts';

function imageFacts(paths: Paths, config: Pick<MachineConfig, 'longName' | 'disks' | 'cdroms'>): SavedImage[] {
  return [
    ...config.disks.map((disk) => ({ key: `DSK${disk.index}`, layers: diskLayers(paths, config.longName, disk) })),
    ...config.cdroms.map(({ index, file }) => ({
      key: `CDR${index}`,
      layers: file === undefined ? [] : layerOf(file, 'raw'),
    })),
  ];
}

/**
 * The disks and discs of a machine as they are now, with all that they rest on, and the images that lines of `[custom]` let
 * the guest write to. A missing file has no layers.
 */
export function savedImages(
  paths: Paths,
  config: Pick<MachineConfig, 'longName' | 'disks' | 'cdroms' | 'custom' | 'dir'>,
): SavedImage[] {
  const custom = customDisks(config).map((path, at) => ({
    key: `${CUSTOM_IMAGE} ${at + 1} of [custom],`,
    layers: layerOf(path, ''),
  }));
  return [...imageFacts(paths, config), ...custom];
}

const CUSTOM_IMAGE = 'image';

/** Whether a key of {@link savedImages} is that of an image of `[custom]`. Pure. */
export function isCustomImage(key: string): boolean {
  return key.startsWith(CUSTOM_IMAGE);
}

function diskLayers(paths: Paths, longName: string, disk: DiskConfig): SavedLayer[] {
  return diskChain(paths, longName, disk).layers.flatMap(({ file, format, isRemote }) =>
    isRemote ? [{ path: file, format, file: undefined }] : layerOf(file, format),
  );
}

function layerOf(path: string, format: string): SavedLayer[] {
  try {
    const stats = statSync(path, { bigint: true });
    // A device has no time of its own that a write would change.
    if (!stats.isFile()) return [{ path, format, file: undefined }];
    const { size, mtimeNs, ino } = stats;
    return [{ path, format, file: { sizeBytes: Number(size), mtimeNs: String(mtimeNs), inode: String(ino) } }];
  } catch (error) {
    if (isNotFound(error)) return [];
    throw fileError('read', path, error);
  }
}

/** Hashes of what the guest keeps in files that are no disks: the variables of its firmware. */
export function fileHashes(config: MachineConfig, files: MachinePaths): Record<string, string> {
  const variables = findFirmware(config, files)?.variables;
  return variables === undefined ? {} : { [variables]: hashOf(variables) };
}

/** Empty for a file that is missing. */
function hashOf(path: string): string {
  return isThere(path) ? createHash('sha256').update(readSmallImage(path)).digest('hex') : '';
}

/**
 * Identity of the host's processor, when the guest sees that one: under KVM with the model `host` or `max`. Undefined
 * when it sees an emulated one.
 */
export function hostCpuOf(args: readonly string[]): string | undefined {
  const argumentOf = (flag: string): string => args[args.indexOf(flag) + 1] ?? '';
  if (!argumentOf('-accel').startsWith('kvm') || !/^(?:host|max)(?:,|$)/.test(argumentOf('-cpu'))) return undefined;
  const [first = ''] = readFileSync('/proc/cpuinfo', 'utf8').split('\n\n');
  const lines = first.split('\n').filter((line) => /^(?:model name|flags|CPU part|Features)\s*:/.test(line));
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
