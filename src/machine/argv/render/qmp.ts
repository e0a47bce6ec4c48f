import { QemuError } from '../../../base/errors.ts';
import type { QmpCommands } from '../../../qmp/commands.ts';
import type { Device, Drive, ImageNode, Part, Properties, QemuObject } from '../description.ts';
import { fileNode, formatNode } from './nodes.ts';

/** Commands that plug a part into a machine that runs. */
type PlugCommand = 'blockdev-add' | 'device_add' | 'netdev_add' | 'object-add';

/** A command with its arguments, as a QMP client executes it. */
export type PlugCall = {
  readonly [C in PlugCommand]: { readonly command: C; readonly arguments: QmpCommands[C]['arguments'] };
}[PlugCommand];

/**
 * The commands that give a running QEMU the parts that it would have been started with, in the same order. A drive
 * without a disc has none: its device is enough. QEMU refuses a `bootindex` that a device of the running machine has
 * already, which happens when the new one comes before it in the boot order: the caller leaves it out then.
 *
 * @throws {QemuError} `QEMU_NOT_IMPLEMENTED` for what only a start can do: plain options, disks with snapshot=on.
 */
export function renderCalls(parts: readonly Part[]): PlugCall[] {
  return parts.flatMap((part): PlugCall[] => {
    switch (part.kind) {
      case 'device':
        return [{ command: 'device_add', arguments: deviceArguments(part) }];
      case 'drive':
        return part.image === undefined
          ? []
          : [{ command: 'blockdev-add', arguments: driveArguments(part, part.image) }];
      case 'netdev':
        return [{ command: 'netdev_add', arguments: part.arguments }];
      case 'object':
        return [{ command: 'object-add', arguments: objectArguments(part) }];
      case 'option':
        throw onlyAtStart(part.key, part.args.join(' '));
      default:
        return part satisfies never;
    }
  });
}

function onlyAtStart(key: string, what: string): QemuError {
  return new QemuError('QEMU_NOT_IMPLEMENTED', `${key === '' ? '' : `${key}: `}"${what}" is only possible at a start`, {
    hint: 'restart the machine',
  });
}

/** `-drive` sets the write cache itself; with nodes a property of the device does. */
function deviceArguments(part: Device): QmpCommands['device_add']['arguments'] {
  const { driver, id, bus, addr, multifunction, drive, properties } = part;
  return {
    driver,
    id,
    bus,
    addr,
    multifunction,
    drive: drive?.image && formatNode(drive.id),
    'write-cache': drive && writesThrough(drive) ? 'off' : undefined,
    ...properties,
  };
}

function writesThrough({ cache }: Drive): boolean {
  return cache === 'writethrough' || cache === 'directsync';
}

type Node = QmpCommands['blockdev-add']['arguments'];

/** Nodes with the defaults that `-drive` has: qemu-system(1), "-drive". */
function driveArguments(drive: Drive, image: ImageNode): Node {
  const { id, key, readonly, snapshot, cache, aio, discard, detectZeroes } = drive;
  if (snapshot) throw onlyAtStart(key, 'snapshot=on');
  const all = {
    'read-only': readonly,
    'auto-read-only': true,
    cache: { direct: cache === 'none' || cache === 'directsync', 'no-flush': cache === 'unsafe' },
    discard: choice(DISCARD, discard),
  };
  const file = { ...all, ...fileArguments(image), 'node-name': fileNode(id), aio: choice(AIO, aio) };
  return {
    ...all,
    ...formatArguments(image, file),
    'node-name': formatNode(id),
    'detect-zeroes': choice(DETECT_ZEROES, detectZeroes),
  };
}

const DISCARD = ['ignore', 'unmap'] as const;
const DETECT_ZEROES = ['off', 'on', 'unmap'] as const;
const AIO = ['threads', 'native', 'io_uring'] as const;

function choice<T extends string>(words: readonly T[], word: string | undefined): T | undefined {
  return words.find((each) => each === word);
}

function fileArguments({ file, isDevice }: ImageNode): FileNode {
  return { driver: isDevice ? 'host_device' : 'file', filename: file };
}

type FileNode = { readonly driver: 'file' | 'host_device'; readonly filename: string };

function formatArguments(image: ImageNode, file: Node): Node {
  const { format, secret } = image;
  const backing = isSaid(image.backing) ? formatArguments(image.backing, fileArguments(image.backing)) : undefined;
  switch (format) {
    case 'luks':
      return { driver: format, file, 'key-secret': secret };
    case 'qcow2':
      return {
        driver: format,
        file,
        backing,
        encrypt: secret === undefined ? undefined : { format: 'luks', 'key-secret': secret },
      };
    case 'qcow':
    case 'qed':
    case 'vmdk':
      return { driver: format, file, backing };
    case 'raw':
    case 'bochs':
    case 'cloop':
    case 'dmg':
    case 'parallels':
    case 'vdi':
    case 'vhdx':
    case 'vpc':
      return { driver: format, file };
    default:
      throw onlyAtStart('', `format=${format}`);
  }
}

/** Whether QEMU must be given this node, because a header lacks its format or key; else it follows the headers. */
function isSaid(image: ImageNode | undefined): image is ImageNode {
  return image !== undefined && (image.isGuessed === true || image.secret !== undefined || isSaid(image.backing));
}

function objectArguments({ type, id, properties }: QemuObject): QmpCommands['object-add']['arguments'] {
  switch (type) {
    case 'secret':
      return { 'qom-type': type, id, file: String(properties['file']) };
    case 'iothread':
      return { 'qom-type': type, id };
    case 'memory-backend-ram':
      return { 'qom-type': type, id, size: Number(properties['size']) };
    case 'memory-backend-memfd':
      return { 'qom-type': type, id, ...memoryArguments(properties) };
    default:
      throw onlyAtStart('', `-object ${type}`);
  }
}

function memoryArguments({ size, share, hugetlb, hugetlbsize, prealloc }: Properties): {
  readonly size: number;
  readonly share: boolean;
  readonly hugetlb?: boolean;
  readonly hugetlbsize?: number;
  readonly prealloc?: boolean;
} {
  return {
    size: Number(size),
    share: share === true,
    ...(hugetlb === true && { hugetlb }),
    ...(typeof hugetlbsize === 'number' && { hugetlbsize }),
    ...(prealloc === true && { prealloc }),
  };
}
