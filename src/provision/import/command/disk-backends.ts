import { rateOption } from '../rate.ts';
import { type CommandOption, others, property } from './options.ts';
import type { CommandSource } from './source.ts';

/** An image that a device may be on: `-drive`, or `-blockdev` with the node below it. */
export interface Backend {
  readonly option: CommandOption;
  /** Nodes below. */
  readonly below: readonly CommandOption[];
  readonly file: string | undefined;
  /** Options of DSKx. */
  readonly options: [string, string][];
  readonly lost: readonly (readonly [string, string])[];
  /** What is not understood makes it another image. */
  readonly isUnknown: boolean;
}

/** The image with that id; undefined when there is none, or when something in it is not understood. */
export function backendOf(source: CommandSource, name: string | undefined): Backend | undefined {
  const drive = source.byId(name, 'drive');
  if (drive) return driveBackend(drive);
  const node = source.byId(name, 'blockdev');
  return node && blockdevBackend(source, node);
}

/** Parts of `-drive` and `-blockdev` that are options of DSKx. */
const KEPT = ['format', 'cache', 'aio', 'discard', 'detect-zeroes', 'readonly', 'snapshot', 'serial'];

/** Parts that only say how the image is named inside of QEMU. */
const NAMES = [
  'file',
  'if',
  'id',
  'media',
  'node-name',
  'file.node-name',
  'index',
  'bus',
  'unit',
  'driver',
  'read-only',
  'auto-read-only',
  'werror',
  'rerror',
];

/** Most bytes a second, read and written. */
const LIMIT = 'throttling.bps-total';

/** Drivers of nodes that are files or devices of this host. */
const FILE_DRIVERS = ['file', 'host_device', 'host_cdrom'];

/** Properties without which an image is another one, or none at all. */
const ESSENTIAL = /^(?:(?:file\.)?(?:encrypt\..*|key-secret|offset|size|host|server\..*|url)|backing\..*)$/;

/** The image of a `-drive`. */
export function driveBackend(option: CommandOption): Backend {
  const options = option.properties.flatMap(([name, value]): [string, string][] => {
    const isDefault = (name === 'snapshot' || name === 'readonly') && value === 'off';
    return KEPT.includes(name) && !isDefault ? [[name, value]] : [];
  });
  const rate = rateOption(Number(property(option, LIMIT) ?? '0'));
  if (rate !== undefined) options.push(['rate', rate]);
  const lost = others(option, ...KEPT, ...NAMES, ...(rate === undefined ? [] : [LIMIT]));
  const driver = property(option, 'file.driver') ?? 'file';
  const isUnknown = lost.some(([name]) => ESSENTIAL.test(name)) || !FILE_DRIVERS.includes(driver);
  return {
    option,
    below: [],
    file: property(option, 'file') ?? property(option, 'file.filename'),
    options,
    lost,
    isUnknown,
  };
}

/** Properties of nodes that are read, or that only say how they are named and locked. */
const NODE_PROPERTIES = [
  ...[
    'driver',
    'node-name',
    'file',
    'filename',
    'file.driver',
    'file.filename',
    'file.node-name',
    'backing',
    'locking',
  ],
  ...['aio', 'discard', 'detect-zeroes', 'file.aio', 'file.discard', 'read-only', 'auto-read-only', 'file.locking'],
  ...['cache.direct', 'cache.no-flush', 'file.cache.direct', 'file.cache.no-flush'],
];

function blockdevBackend(source: CommandSource, option: CommandOption): Backend | undefined {
  const reference = property(option, 'file');
  const below = reference === undefined ? undefined : source.byId(reference, 'blockdev');
  const bottom = below ?? option;
  const file = property(bottom, 'filename') ?? property(option, 'file.filename');
  const format = property(option, 'driver') ?? 'raw';
  const isFile = FILE_DRIVERS.includes(format);
  const options: [string, string][] = [['format', isFile ? 'raw' : format]];
  for (const each of [option, bottom]) {
    for (const name of ['aio', 'discard', 'detect-zeroes']) {
      const value = property(each, name) ?? property(each, `file.${name}`);
      if (value !== undefined && !options.some(([key]) => key === name)) options.push([name, value]);
    }
  }
  if (property(option, 'read-only') === 'on') options.push(['readonly', 'on']);
  const direct = property(option, 'cache.direct') ?? property(bottom, 'cache.direct');
  const noFlush = property(option, 'cache.no-flush') ?? property(bottom, 'cache.no-flush');
  if (noFlush === 'on') options.push(['cache', 'unsafe']);
  else if (direct === 'on') options.push(['cache', 'none']);
  const nodes = below && below !== option ? [option, below] : [option];
  const protocol = below ? property(below, 'driver') : (property(option, 'file.driver') ?? format);
  const lost = nodes.flatMap((node) => others(node, ...NODE_PROPERTIES));
  const isLocal = FILE_DRIVERS.includes(protocol ?? 'file');
  const chain = chainBelow(source, property(option, 'backing'));
  if (chain === undefined) return undefined;
  options.push(
    ...chain.flatMap(({ file: name }): [string, string][] => (name === undefined ? [] : [['backing', name]])),
  );
  const rest = chain.flatMap((each) => [each.option, ...each.below]);
  const isUnknown = !isLocal || lost.some(([name]) => ESSENTIAL.test(name));
  return { option, below: [...nodes.slice(1), ...rest], file, options, lost, isUnknown };
}

/** Images that another one names as what it rests on; undefined when one of them is not understood. */
function chainBelow(source: CommandSource, name: string | undefined): Backend[] | undefined {
  if (name === undefined || name === 'null') return [];
  const node = source.byId(name, 'blockdev');
  const backend = node && blockdevBackend(source, node);
  if (!backend || backend.isUnknown || !isPlainFile(backend.file)) return undefined;
  return [backend];
}

/** Whether it is a file or device of this host, and not a protocol. */
export function isPlainFile(file: string | undefined): boolean {
  return file === undefined || !/^(?:[a-z][\w+.-]*:(?:\/\/|\{)|json:|fat:|nbd:|rbd:|ssh:)/i.test(file);
}
