import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Problem } from '../../base/problem.ts';
import { quote } from '../../base/text.ts';
import type { IniDocument, IniEntry } from '../text/ini.ts';
import { renderOptionList } from '../text/option-list.ts';
import { parseUuid } from '../text/values.ts';
import { type Found, type JsonObject, JsonReader } from './json-reader.ts';
import { parseJson } from './json-text.ts';

/** What the members of a JSON machine mean; for the man page. */
export const JSON_MEMBERS: readonly { readonly path: string; readonly key: string; readonly doc: string }[] = [
  { path: 'vm.name', key: 'NAME', doc: 'name of the machine; that of the file when empty' },
  { path: 'vm.uuid', key: 'UUID', doc: 'UUID; any other text is ignored' },
  { path: 'vm.created_at', key: '', doc: 'for people only' },
  { path: 'cpu.cores', key: 'SMP', doc: 'number of processors, or of cores when there are threads; 0 is ignored' },
  { path: 'cpu.threads', key: 'SMP', doc: 'threads of each core' },
  { path: 'cpu.type', key: 'CPU', doc: 'processor model' },
  { path: 'memory.size_mb', key: 'RAM', doc: 'memory in MiB; 0 is ignored' },
  {
    path: 'network.interface',
    key: 'NICx',
    doc: 'bridge that the card is connected to; not used for user, nat and none; default: BRIDGE_IFNAME',
  },
  {
    path: 'network.type',
    key: 'NICx',
    doc: "bridge or tap: on the bridge; user or nat: QEMU's own NAT; none; any other word is the model of a card on the bridge",
  },
  { path: 'network.mac', key: 'NICx', doc: 'MAC address; auto: derived' },
  { path: 'network.interfaces', key: 'NICx', doc: 'list of cards with name (the bridge), type and mac' },
  {
    path: 'disk.path',
    key: 'DSKx',
    doc: 'image; when it does not end in a file name with an image suffix, the folder that disk.name is in; in a folder called vms relative to the folder above it',
  },
  { path: 'disk.name', key: 'DSKx', doc: 'file name of the image in that folder' },
  { path: 'disk.format', key: 'DSKx', doc: 'format of the image' },
  { path: 'disk.size_gb', key: '', doc: 'not used: the image has its size' },
  { path: 'storage.disks', key: 'DSKx', doc: 'list of disks with the same members' },
];

/**
 * Reads a JSON machine, `{vm, cpu, memory, network, disk}`, as the entries of a cfg file that mean the same, each at
 * its line. Wrong types and missing parts are errors; unknown members and placeholders that programs write for unset
 * values (`""`, `0`, `"auto"`) are warnings.
 *
 * @param exists whether a file is there: a relative path in a folder `vms` can mean two.
 */
export function parseJsonMachine(
  text: string,
  path: string,
  exists: (path: string) => boolean = () => false,
): IniDocument {
  const issues: Problem[] = [];
  const root = parseJson(text);
  if ('problem' in root) {
    const { line, problem } = root;
    return { entries: [], raw: [], issues: [{ file: path, line, message: problem, severity: 'error' }] };
  }
  const reader = new JsonReader(path, issues);
  const sections = reader.object(root, 'The machine', ['vm', 'cpu', 'memory', 'network', 'disk', 'storage']);
  if (!sections) return { entries: [], raw: [], issues };
  const entries = [
    ...readIdentity(reader, sections),
    ...readProcessor(reader, sections),
    ...readMemory(reader, sections),
    ...readNetwork(reader, sections),
    ...readDisks(reader, sections, fileResolver(reader, path, exists)),
  ];
  return { entries, raw: [], issues };
}

function readIdentity(reader: JsonReader, root: JsonObject): IniEntry[] {
  const vm = reader.section(root, 'vm', ['name', 'uuid', 'created_at']);
  if (!vm) return [];
  reader.text(vm, 'created_at');
  const uuid = reader.text(vm, 'uuid');
  const isUuid = uuid !== undefined && parseUuid(uuid.value) !== undefined;
  if (uuid !== undefined && !isUuid) {
    reader.warn(uuid.line, `vm.uuid ${quote(uuid.value)} is not a UUID and is ignored`, 'one is derived from the name');
  }
  return [
    ...entry('NAME', reader.stated(vm, 'name', reader.text(vm, 'name'), 'the name of the file is used')),
    ...entry('UUID', isUuid ? uuid : undefined),
  ];
}

function readProcessor(reader: JsonReader, root: JsonObject): IniEntry[] {
  const cpu = reader.section(root, 'cpu', ['cores', 'threads', 'type']);
  if (!cpu) return [];
  const cores = reader.stated(cpu, 'cores', reader.count(cpu, 'cores'), 'the default of SMP= is used');
  const threads = reader.count(cpu, 'threads');
  const smp =
    cores && threads
      ? {
          ...cores,
          value: `cpus=${cores.value * threads.value},sockets=1,cores=${cores.value},threads=${threads.value}`,
        }
      : cores;
  return [...entry('SMP', smp), ...entry('CPU', reader.text(cpu, 'type'))];
}

function readMemory(reader: JsonReader, root: JsonObject): IniEntry[] {
  const memory = reader.section(root, 'memory', ['size_mb']);
  const size =
    memory && reader.stated(memory, 'size_mb', reader.count(memory, 'size_mb'), 'the default of RAM= is used');
  return size ? entry('RAM', { ...size, value: `${size.value}M` }) : [];
}

function readNetwork(reader: JsonReader, root: JsonObject): IniEntry[] {
  const found = root.members.get('network');
  if (!found || found.value.kind === 'null') return [];
  const network = reader.object(found.value, 'network', ['interface', 'type', 'mac', 'interfaces']);
  if (!network) return [];
  const listed = reader.list(network, 'interfaces', ['name', 'type', 'mac']);
  const single = ['interface', 'type', 'mac'].some((name) => reader.has(network, name)) ? [network] : [];
  return [...single, ...listed].map((card, position) => {
    return { key: `NIC${position + 1}`, line: card.line, value: nicValue(reader, card) };
  });
}

const DEFAULT_MODEL = 'virtio-net-pci';

function nicValue(reader: JsonReader, card: JsonObject): string {
  const host = reader.text(card, card.members.has('name') ? 'name' : 'interface')?.value;
  const type = reader.text(card, 'type')?.value ?? 'bridge';
  const mac = readMac(reader, card);
  switch (type.toLowerCase()) {
    case 'user':
    case 'nat':
      return renderOptionList(DEFAULT_MODEL, [
        ['net', 'user'],
        ['mac', mac],
      ]);
    case 'none':
      return renderOptionList(DEFAULT_MODEL, [
        ['net', 'none'],
        ['mac', mac],
      ]);
    case 'bridge':
    case 'tap':
      return renderOptionList(DEFAULT_MODEL, [
        ['bridge', host],
        ['mac', mac],
      ]);
    default:
      return renderOptionList(type, [
        ['bridge', host],
        ['mac', mac],
      ]);
  }
}

/** `auto` means a derived address. */
function readMac(reader: JsonReader, card: JsonObject): string | undefined {
  const mac = reader.text(card, 'mac');
  if (mac?.value.toLowerCase() !== 'auto') return mac?.value;
  reader.warn(mac.line, `${card.label}.mac ${quote(mac.value)} is ignored`, 'an address is derived');
  return undefined;
}

const DISK_MEMBERS = ['name', 'path', 'size_gb', 'format'];

function readDisks(reader: JsonReader, root: JsonObject, locate: FileResolver): IniEntry[] {
  const first = root.members.get('disk')?.value;
  const whole = first && first.kind !== 'null' ? reader.object(first, 'disk', DISK_MEMBERS) : undefined;
  const single = whole && isUnstated(reader, whole) ? undefined : whole;
  const stored = root.members.get('storage')?.value;
  const storage = stored && stored.kind !== 'null' ? reader.object(stored, 'storage', ['disks']) : undefined;
  const disks = [...(single ? [single] : []), ...(storage ? reader.list(storage, 'disks', DISK_MEMBERS) : [])];
  if (disks.length === 0 && (whole !== undefined || (!first && !stored)))
    reader.warn(root.line, 'The machine has no disk');
  return disks.flatMap((disk, position) => {
    const value = diskValue(reader, disk, locate);
    return value === undefined ? [] : [{ key: `DSK${position + 1}`, line: disk.line, value }];
  });
}

const IMAGE_NAME = /\.(?:img|image|raw|qcow2?|qed|vmdk|vdi|vhdx?|vpc|luks|hdd|iso)$/i;

function diskValue(reader: JsonReader, disk: JsonObject, locate: FileResolver): string | undefined {
  reader.size(disk, 'size_gb');
  const name = reader.text(disk, 'name')?.value;
  const path = reader.text(disk, 'path')?.value;
  const format = reader.text(disk, 'format')?.value;
  const isImage = path !== undefined && (IMAGE_NAME.test(path) || path.startsWith('/dev/'));
  const file = isImage || name === undefined ? path : join(path ?? '', name);
  if (file !== undefined) return renderOptionList(locate(file, disk.line), [['format', format]]);
  if (!reader.has(disk, 'path') && !reader.has(disk, 'name')) {
    reader.report(disk.line, `${disk.label} has neither path nor name`);
  }
  return undefined;
}

/** Whether all members of a disk are empty, which means that there is no disk. */
function isUnstated(reader: JsonReader, disk: JsonObject): boolean {
  return disk.members.size > 0 && ['name', 'path', 'format'].every((name) => reader.isEmpty(disk, name));
}

type FileResolver = (file: string, line: number) => string;

/** Folder of the machines of Ozone, whose programs run in the folder above it: relative paths start from there. */
const MACHINES_FOLDER = 'vms';

function fileResolver(reader: JsonReader, path: string, exists: (path: string) => boolean): FileResolver {
  const own = dirname(path);
  return (file, line) => {
    if (basename(own) !== MACHINES_FOLDER || isAbsolute(file)) return file;
    const above = resolve(own, '..', file);
    if (exists(resolve(own, file)) && !exists(above)) return file;
    reader.warn(line, `${quote(file)} is taken from the folder above "${MACHINES_FOLDER}": ${quote(above)}`);
    return above;
  };
}

function entry(key: string, found: Found<string | number> | undefined): IniEntry[] {
  return found ? [{ key, value: String(found.value), line: found.line }] : [];
}
