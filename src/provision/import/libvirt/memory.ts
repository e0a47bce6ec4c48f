import type { NUMA_POLICIES } from '../../../config/keys/values.ts';
import { renderOptionList } from '../../../config/text/option-list.ts';
import { renderSize } from '../../../config/text/values.ts';
import type { ImportDraft } from '../draft.ts';
import { carry, change, lose, refuse, set, setChanged } from './sweep.ts';
import { bytesOf } from './units.ts';
import type { XmlElement } from './xml.ts';

const MIB = 1024 ** 2;

/** QEMU rounds up to pages, libvirt to MiB, and RAM counts in MiB. */
const wholeMiB = (bytes: number): number => Math.ceil(bytes / MIB) * MIB;

/** Memory, what it can grow to, and the NUMA nodes that it is in. */
export function readMemory(draft: ImportDraft, root: XmlElement): void {
  const memory = root.child('memory');
  const bytes = memory && bytesOf(memory);
  const ram = readNodes(draft, root) ?? (bytes === undefined ? undefined : wholeMiB(bytes));
  if (memory) {
    memory.ignore('dumpCore');
    if (bytes === undefined || ram === undefined) refuse(draft, memory, 'not an amount of memory');
    else if (bytes === ram) set(draft, memory, 'RAM', renderSize(ram));
    else setChanged(draft, memory, 'RAM', renderSize(ram), 'whole MiB');
  } else if (ram !== undefined) draft.assume('RAM', renderSize(ram));
  const current = root.child('currentMemory');
  const now = current && bytesOf(current);
  if (current && now === bytes) carry(draft, current, 'RAM');
  else if (current) lose(current, 'a machine starts with all of its memory; see "qemu-init balloon"');
  readMost(draft, root.child('maxMemory'), ram ?? 0);
  readBacking(draft, root.child('memoryBacking'));
}

/** Pages of one size, for all of the memory. */
function readBacking(draft: ImportDraft, backing: XmlElement | undefined): void {
  const huge = backing?.child('hugepages');
  const pages = huge?.all('page') ?? [];
  const [page] = pages;
  const amount = page?.attribute('size');
  const bytes = page && bytesOf({ attribute: (name) => page.attribute(name), ownText: () => amount });
  const size = page === undefined ? 'on' : HUGE_PAGES[bytes ?? 0];
  const isWhole = pages.length <= 1 && page?.attribute('nodeset') === undefined;
  if (huge && size !== undefined && isWhole) {
    set(draft, huge, 'HUGEPAGES', size);
    if (page) carry(draft, page, 'HUGEPAGES');
  } else if (huge) lose(huge, 'huge pages are of one size, 2M or 1G, for all of the memory');
  for (const each of backing?.children ?? []) {
    if (each.name !== 'hugepages') lose(each, 'memory is not locked, and shared where a SHAREx needs it');
  }
}

/** Values of HUGEPAGES by their bytes. */
const HUGE_PAGES: Readonly<Record<number, string>> = { [2 * MIB]: '2M', [1024 * MIB]: '1G' };

function readMost(draft: ImportDraft, most: XmlElement | undefined, ram: number): void {
  const bytes = most && bytesOf(most);
  if (!most) return;
  // How many modules there can be follows from their size.
  most.ignore('slots');
  if (bytes === undefined) refuse(draft, most, 'not an amount of memory');
  else if (wholeMiB(bytes) > ram) set(draft, most, 'MAXRAM', renderSize(wholeMiB(bytes)));
  else carry(draft, most, 'RAM');
}

interface Node {
  readonly cell: XmlElement;
  bytes: number;
}

/** @returns the memory of all nodes; undefined without nodes. */
function readNodes(draft: ImportDraft, root: XmlElement): number | undefined {
  const nodes = new Map<string, Node>();
  const numa = root.child('cpu')?.child('numa');
  for (const [position, cell] of (numa?.all('cell') ?? []).entries()) {
    // Its text is a number in an attribute here.
    const amount = cell.attribute('memory');
    const bytes = bytesOf({ attribute: (name) => cell.attribute(name), ownText: () => amount });
    if (bytes !== undefined) nodes.set(cell.attribute('id') ?? String(position), { cell, bytes: wholeMiB(bytes) });
  }
  for (const module of root.child('devices')?.all('memory') ?? []) readModule(draft, module, nodes);
  for (const [id, node] of nodes) addNode(draft, root, id, node);
  return nodes.size === 0 ? undefined : [...nodes.values()].reduce((sum, { bytes }) => sum + bytes, 0);
}

/** `<memory model='dimm'>`: plugged in at the start, and part of what `<memory>` of the domain says. */
function readModule(draft: ImportDraft, module: XmlElement, nodes: ReadonlyMap<string, Node>): void {
  const target = module.child('target');
  const size = target?.child('size');
  const at = target?.child('node');
  const bytes = size && bytesOf(size);
  if (module.attribute('model') !== 'dimm' || !target || !size || bytes === undefined) {
    lose(module, 'only modules of plain memory are part of RAM');
    return;
  }
  module.ignoreUsual({ access: 'private', discard: 'no' });
  const node = nodes.get(at?.ownText() ?? '0');
  if (node) node.bytes += wholeMiB(bytes);
  change(draft, module, 'RAM', undefined, 'is there from the start, and not a module');
  for (const each of [target, size, ...(at ? [at] : [])]) carry(draft, each, 'RAM');
  const source = module.child('source');
  if (source) lose(source, 'it is memory like the rest of its node');
}

function addNode(draft: ImportDraft, root: XmlElement, id: string, { cell, bytes }: Node): void {
  const cpus = cell.attribute('cpus')?.split(',') ?? [];
  const device = draft.addDevice('NUMA', renderSize(bytes));
  device.options.push(...cpus.map((range): [string, string] => ['cpus', range]));
  const numatune = root.child('numatune');
  const own = numatune?.all('memnode').find((each) => each.attribute('cellid') === id);
  const place = own ?? numatune?.child('memory');
  const [nodes, policy] = [place?.attribute('nodeset'), POLICIES[place?.attribute('mode') ?? 'strict']];
  if (place && nodes !== undefined && /^\d+(?:-\d+)?$/.test(nodes) && policy !== undefined) {
    const bound: [string, string][] = [
      ['hostnodes', nodes],
      ['policy', policy],
    ];
    device.options.push(...bound);
    carry(draft, place, device, renderOptionList('', bound).slice(1));
  } else if (place) lose(place, 'a node is bound to one range of nodes of the host, by bind, preferred or interleave');
  carry(draft, cell, device, renderOptionList(renderSize(bytes), device.options));
}

/** What libvirt calls the policies of NUMAx. */
const POLICIES: Readonly<Record<string, (typeof NUMA_POLICIES)[number]>> = {
  strict: 'bind',
  preferred: 'preferred',
  interleave: 'interleave',
};
