import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { asArray, asNumber, asRecord, asText } from '../../base/guards.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import type { Domain } from '../../domain/domain.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { fileNode, formatNode } from '../argv/render/nodes.ts';
import { type DirtyBitmap, parseBitmaps } from '../disks/disk-layer.ts';

/** A disk of a machine as a backup finds it. */
export interface SourceDisk {
  /** `DSK1`. */
  readonly key: string;
  /** Node that has what the guest sees. */
  readonly node: string;
  /** What the guest sees. */
  readonly sizeBytes: number;
  /** Path of the image; with overlays of the topmost. */
  readonly path: string;
  readonly format: string;
  readonly isEncrypted: boolean;
  /** Whether the image can hold bitmaps that outlive its QEMU. */
  readonly canTrack: boolean;
  readonly bitmaps: readonly DirtyBitmap[];
  /** Fingerprint of the images below, which is `0` without any. */
  readonly bases: string;
}

type Members = Readonly<Record<string, unknown>>;

/**
 * The disks of a machine that runs, also those that were plugged in, or of a {@link StorageDaemon}.
 *
 * @param disks of the machine's file, for their paths.
 * @throws {QemuError} as {@link Domain.run}.
 */
export async function readSources(
  domain: Domain,
  disks: readonly DiskConfig[],
  isRunning: boolean,
  options: ExecuteOptions,
): Promise<SourceDisk[]> {
  const nodes = asArray(await domain.run('query-named-block-nodes', undefined, options)).map(asRecord);
  const roots = isRunning
    ? rootsOf(asArray(await domain.run('query-block', undefined, options)).map(asRecord))
    : new Map(disks.map(({ index }) => [`dsk${index}`, formatNode(`dsk${index}`)]));
  return [...roots]
    .map(([id, node]) => sourceOf(id, node, nodes, disks))
    .toSorted((a, b) => Number(a.key.slice(3)) - Number(b.key.slice(3)));
}

/** The root node of each drive, by the drive's id; one that was plugged in has only the name of its device. */
function rootsOf(blocks: readonly Members[]): Map<string, string> {
  const roots = new Map<string, string>();
  for (const { device, qdev, inserted } of blocks) {
    const id = [asText(device), /(?:^|\/)(dsk\d+)-dev(?:\/|$)/.exec(asText(qdev))?.[1] ?? ''].find((name) =>
      /^dsk[1-9]\d*$/.test(name),
    );
    const node = asText(asRecord(inserted)['node-name']);
    if (id !== undefined && node !== '') roots.set(id, node);
  }
  return roots;
}

function sourceOf(id: string, top: string, nodes: readonly Members[], disks: readonly DiskConfig[]): SourceDisk {
  const named = (name: string): Members => nodes.find((node) => node['node-name'] === name) ?? {};
  const config = disks.find(({ index }) => `dsk${index}` === id);
  // What the guest has written to such a disk goes with QEMU: the image has what it begins with.
  const root = isTemporary(named(top)) && named(formatNode(id))['drv'] !== undefined ? formatNode(id) : top;
  const node = named(root);
  const image = asRecord(node['image']);
  const format = asText(node['drv']);
  const data = asRecord(asRecord(image['format-specific'])['data']);
  const protocol = root === formatNode(id) ? asText(named(fileNode(id))['file']) : asText(image['filename']);
  return {
    key: id.toUpperCase(),
    node: root,
    sizeBytes: asNumber(image['virtual-size']),
    path: config?.file ?? (isFile(protocol) ? protocol : `/${id}`),
    format,
    isEncrypted: node['encrypted'] === true,
    // A stopped machine's image is writable, and its bitmap would be useless when it has run.
    canTrack: format === 'qcow2' && data['compat'] !== '0.10' && node['ro'] !== true && config?.snapshot !== true,
    bitmaps: parseBitmaps(node['dirty-bitmaps']),
    bases: basesOf(image),
  };
}

/**
 * Of a disk that the machine's file does not name. A restore may put an image there again, so a QEMU that its guest has captured must not
 * name a place where nothing is yet.
 */
function isFile(path: string): boolean {
  return path.startsWith('/') && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The overlay that QEMU makes for `snapshot=on`, without a name, and removes (`bdrv_append_temp_snapshot`). */
function isTemporary(node: Members): boolean {
  return asText(node['node-name']).startsWith('#') && /"filename": "[^"]*\/vl\.\w{6}"/.test(asText(node['file']));
}

/** A bitmap does not know of changes below the image that it is in. */
function basesOf(image: Members): string {
  const bases: string[] = [];
  for (
    let base = asRecord(image['backing-image']);
    base['filename'] !== undefined;
    base = asRecord(base['backing-image'])
  ) {
    bases.push(describeBase(asText(base['filename'])));
  }
  return bases.length === 0 ? '0' : createHash('sha256').update(JSON.stringify(bases)).digest('hex').slice(0, 16);
}

function describeBase(path: string): string {
  try {
    const { size, mtimeMs } = statSync(path);
    return `${path} ${size} ${mtimeMs}`;
  } catch {
    // Not a file of this host.
    return path;
  }
}
