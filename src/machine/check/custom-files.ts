import { join } from 'node:path';
import type { CustomLine } from '../../config/types.ts';
import { readValues, type SplitOption, splitOptions } from './option-values.ts';

/** A file, socket or folder that an option of `[custom]` names. */
export interface CustomFile {
  /** As written: `-drive`. */
  readonly option: string;
  readonly path: string;
  /** `storage` and `read` have to be there; of `made` the folder has to; a `folder` is shared; of `other` nothing is known. */
  readonly use: 'storage' | 'read' | 'made' | 'folder' | 'other';
  readonly writes: boolean;
  /** Of storage, when the option says it. */
  readonly format: string | undefined;
  readonly origin: CustomLine['origin'];
}

/** What is a file of a disk or a drive, by its option alone. */
const DRIVES = /^(?:hd[a-d]|cdrom|fd[ab]|mtdblock|pflash|sd)$/;
/** Options whose whole value is a file. */
const BARE = /^(?:hd[a-d]|cdrom|fd[ab]|mtdblock|pflash|sd|D|kernel|initrd|dtb|bios|readconfig|mem-path|pidfile|L)$/;
/** Properties that are paths, with or without a folder. */
const PATH_NAMES =
  /(?:^|\.)(?:path|file|filename|logfile|mem-path|rrfile|dir|dumpdtb|rootdir|sock_file|socket|evdev|sysfsdev)$/;
/** In front of a path: `file:/x`, `nbd:unix:/x`, `fat:rw:/x`. */
const PREFIX = /^(?:file:|unix:|pipe:|(?:[a-z][\w-]*:)+(?=\/(?!\/)))/;
/** What is elsewhere: `https://…`, `rbd:…`. */
const REMOTE = /^(?:[\w+-]+:\/\/|(?:nbd|ssh|rbd|sheepdog|iscsi|null-co|null-aio):)/;

/** All paths that these lines name; what is relative is so to `dir`, where QEMU runs. Pure. */
export function customFiles(lines: readonly CustomLine[], dir: string): CustomFile[] {
  const all = lines.flatMap(({ args, origin }) => splitOptions(args).map((part) => ({ part, origin })));
  const reading = readingNodes(all.map(({ part }) => part));
  return all.flatMap(({ part, origin }) =>
    filesOf(part, reading).map((file) => ({ ...file, path: absolute(dir, file.path), origin })),
  );
}

function absolute(dir: string, path: string): string {
  return path.startsWith('/') ? path : join(dir, path);
}

/** Block nodes below one that only reads. */
function readingNodes(parts: readonly SplitOption[]): ReadonlySet<string> {
  const nodes = parts.filter(({ name }) => name === 'blockdev').map(({ values: [value = ''] }) => readValues(value));
  return new Set(
    nodes.flatMap((node) => [...(isReadOnly(node) ? [node.get('file') ?? ''] : []), node.get('backing') ?? '']),
  );
}

function isReadOnly(values: ReadonlyMap<string, string>): boolean {
  const isSet = ['readonly', 'read-only', 'snapshot'].some((name) => isOn(values.get(name)));
  return isSet || values.get('media') === 'cdrom';
}

const isOn = (value = ''): boolean => /^(?:on|true|yes|y)$/.test(value);

type Found = Omit<CustomFile, 'origin'>;

function filesOf({ option, name, values }: SplitOption, reading: ReadonlySet<string>): Found[] {
  const [value = ''] = values;
  if (BARE.test(name)) {
    if (value === '' || REMOTE.test(value)) return [];
    return [found(option, name, '', value, new Map())];
  }
  return values.flatMap((word) => {
    const read = readValues(word);
    const writes = !isReadOnly(read) && !reading.has(read.get('node-name') ?? '\0');
    return [...read].flatMap(([key, text]): Found[] => {
      // There they are names of other nodes.
      if (name === 'blockdev' && /(?:^|\.)(?:file|backing|data-file)$/.test(key)) return [];
      if (text.startsWith('json:')) return filesOf({ option, name, values: [text] }, reading);
      if (!isPath(name, key, text)) return [];
      const file = found(option, name, key, text, read);
      return [{ ...file, writes: file.writes && writes }];
    });
  });
}

function isPath(option: string, key: string, text: string): boolean {
  if (text === '' || REMOTE.test(text) || option === 'append') return false;
  if (PREFIX.test(text) || text.startsWith('/')) return true;
  return PATH_NAMES.test(key);
}

function found(option: string, name: string, key: string, text: string, values: ReadonlyMap<string, string>): Found {
  const use = useOf(name, key, text, values);
  const format = name === 'drive' ? values.get('format') : undefined;
  // To connect to a socket is to write to it.
  const writes =
    (use !== 'read' || name === 'chardev') && !/^(?:cdrom|bios|L)$/.test(name) && !key.startsWith('backing.');
  return { option, path: text.replace(PREFIX, ''), use, writes, format };
}

function useOf(name: string, key: string, text: string, values: ReadonlyMap<string, string>): CustomFile['use'] {
  const kind =
    values.get('qom-type') ??
    values.get('driver') ??
    values.get('backend') ??
    values.get('type') ??
    values.get('') ??
    '';
  if (DRIVES.test(name)) return PREFIX.test(text) && !text.startsWith('file:') ? 'other' : 'storage';
  switch (name) {
    case 'drive':
      return /(?:^|\.)(?:file|filename)$/.test(key) && !/^(?:fat|nbd):/.test(text) ? 'storage' : 'other';
    case 'blockdev':
      return /(?:^|\.)filename$/.test(key) ? 'storage' : 'other';
    case 'fsdev':
    case 'virtfs':
      return key === 'path' ? 'folder' : 'other';
    case 'chardev':
      if (key === 'logfile') return 'made';
      return key === 'path' ? endOf(kind, values) : 'other';
    case 'object':
      return objectUse(kind, key);
    case 'tpmdev':
      return kind === 'passthrough' && key === 'path' ? 'read' : 'other';
    case 'device':
      if (kind === 'loader' && key === 'file') return 'read';
      return key === 'evdev' || key === 'sysfsdev' ? 'read' : 'other';
    case 'serial':
    case 'parallel':
    case 'debugcon':
    case 'monitor':
    case 'qmp':
      return text.startsWith('file:') || (text.startsWith('unix:') && isServer(values)) ? 'made' : 'other';
    case 'kernel':
    case 'initrd':
    case 'dtb':
    case 'readconfig':
      return 'read';
    case 'D':
      return 'made';
    default:
      return 'other';
  }
}

/** What the path of a character device is to QEMU. */
function endOf(kind: string, values: ReadonlyMap<string, string>): CustomFile['use'] {
  if (kind === 'file') return 'made';
  const isLater = values.has('reconnect') || values.has('reconnect-ms') || isOn(values.get('abstract'));
  if (kind !== 'socket' || isLater) return 'other';
  return isServer(values) ? 'made' : 'read';
}

/** Files of objects, and folders with certificates; what QEMU maps as memory it also makes. */
function objectUse(kind: string, key: string): CustomFile['use'] {
  const reads =
    (/^(?:secret|rng-random)$/.test(kind) && /^(?:file|filename)$/.test(key)) ||
    (kind.startsWith('tls-creds-') && key === 'dir') ||
    (kind === 'input-linux' && key === 'evdev');
  if (reads) return 'read';
  return kind === 'memory-backend-file' && key === 'mem-path' ? 'made' : 'other';
}

function isServer(values: ReadonlyMap<string, string>): boolean {
  return values.has('server') && !/^(?:off|false|no|n)$/.test(values.get('server') ?? '');
}
