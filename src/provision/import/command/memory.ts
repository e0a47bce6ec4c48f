import { parseSize, renderSize } from '../../../config/text/values.ts';
import { type CommandOption, others, property } from './options.ts';
import type { CommandSource } from './source.ts';

/** `-m` and the nodes of `-numa`, with the objects that their memory is in. */
export function readMemory(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('m')) {
    const size = property(option, 'size') ?? '128M';
    const bytes = parseSize(/^\d+$/.test(size) ? `${size}M` : size);
    source.use(option);
    if (bytes === undefined) draft.refuse(option, 'not an amount of memory');
    else draft.set(option, 'RAM', renderSize(bytes));
    const most = parseSize(property(option, 'maxmem') ?? '');
    if (most !== undefined) {
      draft.set({ line: option.line, source: `-m maxmem=${property(option, 'maxmem')}` }, 'MAXRAM', renderSize(most));
    }
    source.loseParts(option, others(option, 'size', 'slots', 'maxmem'), 'has no counterpart');
  }
  draft.assume('RAM', '128M');
  const nodes = source.unused('numa').filter((option) => property(option, 'type') === 'node');
  const known = nodes.flatMap((option) => nodeOf(source, option) ?? []);
  // Half of them would be another machine, and so would be one in pages of another size.
  const isAlike = known.every(({ hugePages }) => hugePages === known[0]?.hugePages);
  if (known.length < nodes.length || !isAlike) return;
  for (const node of known) addNode(source, node);
  const [{ hugePages } = {}] = known;
  if (hugePages !== undefined) draft.settings.set('HUGEPAGES', hugePages);
}

/**
 * Takes the memory of the board as that of RAM, also in huge pages.
 *
 * @returns whether nothing but that is in the object.
 */
export function useBoardMemory(source: CommandSource, id: string | undefined): boolean {
  const { draft } = source;
  const memory = source.byId(id, 'object');
  const kind = memory && memoryKind(memory);
  if (memory === undefined || kind === undefined || others(memory, ...BACKING, 'size').length > 0) return false;
  if (kind === 'plain') draft.carry(source.use(memory), 'RAM');
  else draft.set(source.use(memory), 'HUGEPAGES', kind);
  loseOtherUse(source, memory, kind);
  return true;
}

/** Properties of an object with memory that qemu-init gives by itself. */
const BACKING = [
  'qom-type',
  'id',
  'share',
  'hugetlb',
  'hugetlbsize',
  'mem-path',
  'prealloc',
  'prealloc-threads',
  'x-use-canonical-path-for-ramblock-id',
];

/** Notes what is said of memory that qemu-init has in another way: see `memoryBacking`. */
function loseOtherUse(source: CommandSource, memory: CommandOption, kind: 'plain' | HugePages): void {
  const isHuge = kind !== 'plain';
  const expected = isHuge ? 'on' : 'off';
  const reason = isHuge ? 'huge pages are shared, and taken at the start' : 'memory is taken when the guest uses it';
  const isOther = ([name, value]: readonly [string, string]): boolean =>
    (name === 'share' || name === 'prealloc') && switchOf(value) !== expected;
  source.loseParts(memory, memory.properties.filter(isOther), reason);
  const threads = memory.properties.filter(([name]) => name === 'prealloc-threads');
  source.loseParts(memory, threads, 'has no counterpart');
}

/** As `qapi_bool_parse` of QEMU reads it. */
function switchOf(value: string): 'on' | 'off' {
  return /^(?:on|yes|true|y)$/.test(value) ? 'on' : 'off';
}

/** Where huge pages are mounted by the distributions and by libvirt. */
const HUGE_MOUNT = /^\/(?:dev|mnt|run)\/huge(?:pages|tlbfs)?([^/]*)(?:\/|$)/;

type HugePages = 'on' | '2M' | '1G';

/** Size of the huge pages at a path; undefined: none are mounted there, or there is no word for their size. */
export function hugePagesAt(path: string): HugePages | undefined {
  const [mount, name = ''] = HUGE_MOUNT.exec(path) ?? [];
  return mount === undefined ? undefined : pageSize(name);
}

/** Size of the huge pages that memory is in, `plain` for memory as `-m` gives it; undefined: other memory. */
function memoryKind(memory: CommandOption): 'plain' | HugePages | undefined {
  const type = property(memory, 'qom-type');
  const isShared = switchOf(property(memory, 'share') ?? 'off') === 'on';
  if (type === 'memory-backend-ram') return isShared ? undefined : 'plain';
  if (type === 'memory-backend-file') return hugePagesAt(property(memory, 'mem-path') ?? '');
  if (type !== 'memory-backend-memfd' || property(memory, 'hugetlb') !== 'on') return undefined;
  const written = property(memory, 'hugetlbsize') ?? '';
  const bytes = parseSize(/^\d+$/.test(written) ? `${written}B` : written);
  return bytes === undefined ? 'on' : pageSize(renderSize(bytes));
}

/** Undefined: there is no word for it. */
function pageSize(text: string): HugePages | undefined {
  const [, size] = /(\d+[KMG])/i.exec(text) ?? [];
  const known = size?.toUpperCase();
  if (known === undefined) return 'on';
  return known === '2M' || known === '1G' ? known : undefined;
}

interface Node {
  readonly option: CommandOption;
  readonly backend: CommandOption | undefined;
  readonly bytes: number;
  readonly hostNodes: string | undefined;
  readonly hugePages: HugePages | undefined;
}

function nodeOf(source: CommandSource, option: CommandOption): Node | undefined {
  const backend = source.byId(property(option, 'memdev'), 'object');
  const size = property(option, 'mem') ?? (backend && property(backend, 'size'));
  const unit = property(option, 'mem') === undefined ? 'B' : 'M';
  const bytes = size === undefined ? undefined : parseSize(/^\d+$/.test(size) ? `${size}${unit}` : size);
  const kind = backend === undefined ? 'plain' : memoryKind(backend);
  if (bytes === undefined || kind === undefined) return undefined;
  const written = backend && property(backend, 'host-nodes');
  const hostNodes = written === undefined ? undefined : rangeOf(written);
  return written !== undefined && hostNodes === undefined
    ? undefined
    : { option, backend, bytes, hostNodes, hugePages: kind === 'plain' ? undefined : kind };
}

/** `0-3` of that, or of the numbers one by one. */
function rangeOf(nodes: string): string | undefined {
  const numbers = nodes.split(',').map(Number);
  const [first = 0] = numbers;
  if (numbers.some((number, at) => number !== first + at)) return /^\d+-\d+$/.test(nodes) ? nodes : undefined;
  return numbers.length === 1 ? String(first) : `${first}-${first + numbers.length - 1}`;
}

function addNode(source: CommandSource, { option, backend, bytes, hostNodes, hugePages }: Node): void {
  const { draft } = source;
  const device = draft.addDevice('NUMA', renderSize(bytes));
  for (const [name, value] of option.properties) if (name === 'cpus') device.options.push(['cpus', value]);
  const policy = backend && property(backend, 'policy');
  if (hostNodes !== undefined) device.options.push(['hostnodes', hostNodes]);
  if (policy !== undefined && policy !== 'default') device.options.push(['policy', policy]);
  draft.carry(source.use(option), device);
  if (!backend) return;
  others(backend, ...BACKING, 'size', 'host-nodes', 'policy');
  loseOtherUse(source, backend, hugePages ?? 'plain');
  draft.carry(source.use(backend), device);
}
