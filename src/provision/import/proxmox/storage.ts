import { join } from 'node:path';
import type { ImportFiles } from '../files.ts';

/** A storage of Proxmox VE: its type and what it says. */
export interface Storage {
  readonly type: string;
  readonly values: ReadonlyMap<string, string>;
}

/** Reads `/etc/pve/storage.cfg`: a line `type: name`, then indented lines `key value`. */
export function parseStorages(text: string): Map<string, Storage> {
  const storages = new Map<string, Storage>();
  let values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const head = /^([a-z]+):\s*(\S+)\s*$/.exec(line);
    const entry = /^\s+(\S+)(?:\s+(.*?))?\s*$/.exec(line);
    if (head) {
      values = new Map();
      storages.set(head[2] ?? '', { type: head[1] ?? '', values });
    } else if (entry) values.set(entry[1] ?? '', entry[2] ?? '');
  }
  // Every installation has it, also when the file does not name it.
  if (!storages.has('local')) storages.set('local', { type: 'dir', values: new Map([['path', '/var/lib/vz']]) });
  return storages;
}

/** Where the file of a volume is, or why it is not a file of this host. */
export type VolumePlace = { readonly path: string } | { readonly reason: string };

/** Folders of a directory storage by what a volume is for. */
const FOLDERS: readonly (readonly [prefix: string, folder: string])[] = [
  ['iso/', 'template/iso'],
  ['snippets/', 'snippets'],
  ['import/', 'import'],
];

/**
 * The file or device of a volume id `storage:volume`, or an absolute path as it is.
 *
 * @param storages what storage.cfg says.
 */
export function findVolume(id: string, storages: ReadonlyMap<string, Storage>, files: ImportFiles): VolumePlace {
  if (id.startsWith('/')) return id.includes('/../') ? { reason: 'the path has ".." in it' } : { path: id };
  const [, name = '', volume = ''] = /^([^:]+):(.+)$/.exec(id) ?? [];
  if (name === '') return { reason: 'not a volume' };
  if (volume.split('/').includes('..')) return { reason: 'the volume has ".." in its name' };
  const given = files.storages.get(name);
  const storage = storages.get(name);
  if (given !== undefined) return { path: inFolder(given, volume) };
  if (storage === undefined) return { reason: `storage "${name}" is not known: give --storage ${name}=PATH` };
  return placeIn(storage, name, volume);
}

function placeIn({ type, values }: Storage, name: string, volume: string): VolumePlace {
  // A linked clone is "base-100-disk-0/vm-101-disk-0": the last part is the volume.
  const last = volume.split('/').at(-1) ?? '';
  switch (type) {
    case 'dir':
    case 'btrfs': {
      const path = values.get('path');
      if (path === undefined) break;
      return type === 'btrfs' && volume.endsWith('.raw')
        ? { path: join(path, 'images', volume.replace(/\.raw$/, ''), 'disk.raw') }
        : { path: inFolder(path, volume) };
    }
    case 'nfs':
    case 'cifs':
    case 'cephfs':
    case 'glusterfs':
      return { path: inFolder(values.get('path') ?? `/mnt/pve/${name}`, volume) };
    case 'lvm':
    case 'lvmthin': {
      const group = values.get('vgname');
      if (group !== undefined) return { path: `/dev/${group}/${last}` };
      break;
    }
    case 'zfspool': {
      const pool = values.get('pool');
      if (pool !== undefined) return { path: `/dev/zvol/${pool}/${last}` };
      break;
    }
    default:
      return { reason: `storage "${name}" is of type "${type}", which has no files on this host` };
  }
  return { reason: `storage "${name}" does not say where it is` };
}

function inFolder(root: string, volume: string): string {
  for (const [prefix, folder] of FOLDERS) {
    if (volume.startsWith(prefix)) return join(root, folder, volume.slice(prefix.length));
  }
  // Of a linked clone "100/base-100-disk-0.qcow2/101/vm-101-disk-0.qcow2" the last two parts are its own.
  return join(root, 'images', ...volume.split('/').slice(-2));
}
