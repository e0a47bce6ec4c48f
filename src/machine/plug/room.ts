import { parseSize, renderSize } from '../../config/text/values.ts';
import { type Device, device, object, type Part, type PlainOption } from '../argv/description.ts';

/** Processors and memory that were plugged in: `cpu1`, `dimm1` with its `dimm1-mem`. */
const PLUGGED = /^(?:cpu|dimm)\d+(?:-mem)?$/;

/** Linux takes memory in blocks of this size (Documentation/admin-guide/mm/memory-hotplug.rst), Windows in smaller ones. */
const BLOCK_BYTES = 128 * 1024 ** 2;

/** A processor that a machine has room for: its driver and properties. */
export interface FreeCpu {
  readonly type: string;
  readonly props: Readonly<Record<string, number>>;
}

/** The parts as if the machine had begun with the processors and the memory that were plugged in. Pure. */
export function countPlugged(parts: readonly Part[]): Part[] {
  const plugged = parts.filter(isPlugged);
  if (plugged.length === 0) return [...parts];
  const cpus = plugged.filter((part) => part.kind === 'device' && part.key === 'SMP').length;
  const bytes = sum(plugged.map((part) => (part.kind === 'object' ? Number(part.properties['size']) : 0)));
  return parts
    .filter((part) => !plugged.includes(part))
    .map((part) => {
      if (part.kind !== 'option') return part;
      const room = roomOf(part);
      if (part.args[0] === '-smp' && room) return withCount(part, String(room.count + cpus));
      if (part.args[0] === '-m' && room) return withCount(part, renderSize(room.count + bytes));
      return part;
    });
}

function isPlugged(part: Part): boolean {
  return (part.kind === 'device' || part.kind === 'object') && PLUGGED.test(part.id ?? '');
}

/** What an option gives a machine, and what else it says: the room for more above all. */
interface Room {
  readonly count: number;
  readonly rest: string;
}

const CPUS = /^(?:cpus=)?\d+|(?<=,)cpus=\d+/;
const SIZE = /^\d+(?:\.\d+)?[BKMGT]?/;

function roomOf({ args: [name, text = ''] }: PlainOption): Room | undefined {
  const pattern = name === '-smp' ? CPUS : SIZE;
  const found = pattern.exec(text)?.[0];
  if (found === undefined) return undefined;
  const count = name === '-smp' ? Number(found.replace('cpus=', '')) : parseSize(found);
  return count === undefined ? undefined : { count, rest: text.replace(pattern, '') };
}

function withCount(part: PlainOption, count: string): PlainOption {
  const [name = '', text = ''] = part.args;
  const pattern = name === '-smp' ? CPUS : SIZE;
  // A machine that begins with all the memory that there is room for has no room.
  const now = isFull(text, count)
    ? count
    : text.replace(pattern, (old) => (old.startsWith('cpus=') ? 'cpus=' : '') + count);
  return { ...part, args: [name, now] };
}

function isFull(rest: string, size: string): boolean {
  return rest.endsWith(`,maxmem=${size}`);
}

/** What is plugged in or taken out; a text says why that cannot be. */
export type Growth = { readonly plug: readonly Part[]; readonly unplug: readonly Part[] } | string;

/** How many processors, or bytes, there are to be more; undefined when something else differs. */
export function growthOf(was: PlainOption, becomes: PlainOption): number | undefined {
  const [before, after] = [roomOf(was), roomOf(becomes)];
  if (!before || !after || !/maxcpus=|maxmem=/.test(before.rest)) return undefined;
  const isSameRoom = before.rest === after.rest || (after.rest === '' && isFull(before.rest, renderSize(after.count)));
  return isSameRoom ? after.count - before.count : undefined;
}

/** More processors, or fewer of those that were plugged in. */
export function growCpus(parts: readonly Part[], more: number, free: readonly FreeCpu[]): Growth {
  const plugged = parts.filter((part): part is Device => part.kind === 'device' && /^cpu\d+$/.test(part.id ?? ''));
  if (more < 0) {
    if (plugged.length < -more) return 'processors that were there at the start stay';
    return { plug: [], unplug: plugged.slice(more) };
  }
  if (free.length < more) return 'there is room for no more processors';
  const first = nextNumber(plugged, 'cpu');
  const cpus = free.slice(0, more);
  return {
    unplug: [],
    plug: cpus.map(({ type, props }, at) => device('SMP', type, { id: `cpu${first + at}` }, props)),
  };
}

/** More memory, in one piece. */
export function growMemory(parts: readonly Part[], bytes: number): Growth {
  if (bytes < 0) return 'memory is not taken from a guest';
  if (bytes % BLOCK_BYTES !== 0) return `memory is plugged in pieces of ${renderSize(BLOCK_BYTES)}`;
  const id = `dimm${nextNumber(parts, 'dimm')}`;
  // What shares the guest's memory with another program has to see all of it.
  const before = parts.find((part) => part.kind === 'object' && part.type === 'memory-backend-memfd');
  const { share, hugetlb, hugetlbsize, prealloc } = before?.kind === 'object' ? before.properties : {};
  if (typeof hugetlbsize === 'number' && bytes % hugetlbsize !== 0) {
    return `memory in huge pages is plugged in pieces of ${renderSize(hugetlbsize)}`;
  }
  const type = before === undefined ? 'memory-backend-ram' : 'memory-backend-memfd';
  const memory = object('RAM', type, `${id}-mem`, { size: bytes, share, hugetlb, hugetlbsize, prealloc });
  return { unplug: [], plug: [memory, device('RAM', 'pc-dimm', { id }, { memdev: `${id}-mem` })] };
}

function nextNumber(parts: readonly Part[], stem: string): number {
  const numbers = parts.flatMap((part) => {
    const digits = part.kind === 'device' && part.id?.startsWith(stem) ? part.id.slice(stem.length) : '';
    return /^\d+$/.test(digits) ? [Number(digits)] : [];
  });
  return Math.max(0, ...numbers) + 1;
}

/** Processors in the order of their places. */
export function sortCpus(cpus: readonly FreeCpu[]): FreeCpu[] {
  const rank = ({ props }: FreeCpu): number[] =>
    ['socket-id', 'die-id', 'cluster-id', 'core-id', 'thread-id'].map((name) => props[name] ?? 0);
  return cpus.toSorted((a, b) => {
    const [first, second] = [rank(a), rank(b)];
    const at = first.findIndex((each, index) => each !== second[index]);
    return (first[at] ?? 0) - (second[at] ?? 0);
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
