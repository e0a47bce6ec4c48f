import { statSync } from 'node:fs';
import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { Domain } from '../../domain/domain.ts';
import { type ImageSnapshot, readImageSnapshots } from '../../system/images/qcow2-snapshots.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { formatNode } from '../argv/render/nodes.ts';
import type { MachineContext } from '../context.ts';
import { diskNodes } from '../disks/disk-nodes.ts';
import { findFirmware } from '../start/firmware.ts';
import { findImages } from '../storage/images.ts';

/** An image of a machine as snapshots see it. */
export interface SnapshotDisk {
  /** `DSK1`; `FIRMWARE` for the variables of UEFI. */
  readonly key: string;
  /** Absolute path of the layer on top. */
  readonly file: string;
  readonly format: string;
  /** The node on top: of QEMU, or of the storage daemon. */
  readonly node: string;
  readonly readonly: boolean;
  /** What the guest writes is thrown away (`snapshot=on`). */
  readonly temporary: boolean;
  readonly encrypted: boolean;
  /** Bytes that the guest sees; undefined: not known. */
  readonly sizeBytes: number | undefined;
  /** The layers below the one on top, from above; absolute. */
  readonly below: readonly string[];
}

/** Drive of the variables of UEFI: the second flash (`if=pflash,unit=1`). */
const VARIABLES_DRIVE = 'pflash1';
/** Name of their node in a storage daemon. */
export const VARIABLES_NODE = 'vars-fmt';

/** The disks of a machine that does not run, and its variables. @throws {ConfigError} when an image cannot be used. */
export function disksOfConfig(host: MachineContext, config: MachineConfig, files: MachinePaths): SnapshotDisk[] {
  const { disks, issues } = findImages(host.paths, { ...config, cdroms: [] });
  if (issues.some(({ severity }) => severity === 'error')) {
    throw new ConfigError(`Cannot use the disks of "${config.path}"`, issues);
  }
  const found = disks.map(({ disk, chain }): SnapshotDisk => {
    const [top, ...below] = chain.layers.filter(({ role }) => role === 'image' || role === 'backing');
    return {
      key: `DSK${disk.index}`,
      file: disk.file,
      format: top?.format ?? 'raw',
      node: formatNode(`dsk${disk.index}`),
      readonly: disk.readonly,
      temporary: disk.snapshot,
      encrypted: disk.key !== undefined,
      sizeBytes: top?.detail.virtualSizeBytes ?? top?.stats?.size,
      below: below.map(({ file }) => file),
    };
  });
  return [...found, ...variablesOf(config, files, VARIABLES_NODE)];
}

/** The variables of UEFI that snapshots can hold; those in a raw file they cannot. */
function variablesOf(config: MachineConfig, files: MachinePaths, node: string): SnapshotDisk[] {
  const { variables, variablesFormat } = findFirmware(config, files) ?? {};
  if (variables === undefined || variablesFormat !== 'qcow2' || !isThere(variables)) return [];
  const plain = { readonly: false, temporary: false, encrypted: false, sizeBytes: undefined, below: [] };
  return [{ key: 'FIRMWARE', file: variables, format: 'qcow2', node, ...plain }];
}

/**
 * The disks that a running QEMU has, by its own word, and its variables.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when it has another file open than the machine's file names: what is on
 * that one nobody would find again.
 */
export async function disksOfQemu(domain: Domain, config: MachineConfig, files: MachinePaths): Promise<SnapshotDisk[]> {
  const drives = await domain.blockDevices();
  const found = (await diskNodes(domain)).map(({ key, layers: [top, ...below], readonly }): SnapshotDisk => {
    const disk = config.disks.find(({ index }) => key === `DSK${index}`);
    const temporary = disk?.snapshot === true;
    const file = disk?.file ?? top.file;
    if (!temporary) requireSame(config, key, file, top.file);
    return {
      key,
      file,
      format: top.format,
      node: top.node ?? '',
      readonly,
      temporary,
      encrypted: disk?.key !== undefined,
      sizeBytes: top.virtualSizeBytes,
      below: below.map((layer) => layer.file),
    };
  });
  const variables = drives.find(({ device }) => device === VARIABLES_DRIVE)?.inserted;
  return [...found, ...(variables?.driver === 'qcow2' ? variablesOf(config, files, variables.nodeName) : [])];
}

function requireSame(config: MachineConfig, key: string, file: string, open: string): void {
  const [named, used] = [statOf(file), statOf(open)];
  if (named !== undefined && named.ino === used?.ino && named.dev === used.dev) return;
  throw new QemuError(
    'QEMU_COMMAND_FAILED',
    `${key} of machine "${config.longName}" is "${file}" in its file, but QEMU has "${open}" open`,
    { hint: `restart it: qemu-init restart ${config.longName}` },
  );
}

function statOf(path: string): { readonly ino: number; readonly dev: number } | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function isThere(path: string): boolean {
  return statOf(path) !== undefined;
}

/** The snapshots inside the images, by their names and then by the keys of the disks. Only qcow2 has any. */
export function snapshotsIn(
  disks: readonly Pick<SnapshotDisk, 'key' | 'file' | 'format'>[],
): Map<string, Map<string, ImageSnapshot>> {
  const found = new Map<string, Map<string, ImageSnapshot>>();
  for (const disk of disks) {
    if (disk.format !== 'qcow2') continue;
    for (const snapshot of readImageSnapshots(disk.file)) {
      const byKey = found.get(snapshot.name) ?? new Map<string, ImageSnapshot>();
      found.set(snapshot.name, byKey.set(disk.key, snapshot));
    }
  }
  return found;
}
