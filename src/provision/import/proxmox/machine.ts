import { splitWords } from '../../../config/text/shell-words.ts';
import { renderSize } from '../../../config/text/values.ts';
import { ImportDraft, type ImportPlace } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import { setProcessors } from '../processors.ts';
import { type Conf, type ConfEntry, parseConf, parseProperties } from './conf.ts';
import { cpuOf, ignoredReason } from './cpu.ts';
import { readDrive, readFirmwareDisk } from './drives.ts';
import { readNic } from './nics.ts';
import { addSocketNodes, readNode } from './nodes.ts';
import { lettersOf, loseParts, type ProxmoxSource } from './source.ts';
import { parseStorages } from './storage.ts';

/** Where a cluster has its storages, seen from the folder of a machine's file. */
const STORAGE_FILES: readonly string[] = ['../storage.cfg', '../../../storage.cfg', 'storage.cfg'];

/**
 * Reads a file of `/etc/pve/qemu-server` (qm.conf(5)): the present configuration; pending changes and snapshots are
 * only listed.
 */
export function readProxmox(text: string, path: string, files: ImportFiles): ImportDraft {
  const written = parseConf(text);
  const conf = { ...written, entries: inOrder(written.entries) };
  const draft = new ImportDraft();
  const values = new Map(conf.entries.map(({ key, value }) => [key, value]));
  const cfg = STORAGE_FILES.map((name) => files.read(`${files.dir}/${name}`)).find((each) => each !== undefined);
  const source: ProxmoxSource = { draft, values, storages: parseStorages(cfg ?? ''), files };
  // Without a name Proxmox calls it "VM 100".
  draft.name = values.get('name') ?? /(?:^|\/)(\d+)\.conf$/.exec(path)?.[1]?.replace(/^/, 'vm');
  readBoard(source, conf);
  for (const entry of conf.entries) readEntry(source, entry);
  readDescription(draft, conf);
  assumeDefaults(source);
  for (const section of conf.sections) loseSection(draft, section);
  for (const bad of conf.bad) draft.refuse({ line: bad.line, source: bad.text }, 'not a line "key: value"');
  return draft;
}

/** Files have their keys by the alphabet, scsi10 before scsi2; the guest has disks and NICs by their numbers. */
function inOrder(entries: readonly ConfEntry[]): ConfEntry[] {
  const stemOf = (key: string): string => key.replace(/\d+$/, '');
  const stems = [...new Set(entries.map(({ key }) => stemOf(key)))];
  const placeOf = (key: string): number => stems.indexOf(stemOf(key));
  const numberOf = (key: string): number => Number(/\d+$/.exec(key)?.[0] ?? '0');
  return entries.toSorted((one, other) => {
    return placeOf(one.key) - placeOf(other.key) || numberOf(one.key) - numberOf(other.key);
  });
}

function placeOf({ key, value, line }: ConfEntry): ImportPlace {
  return { line, source: `${key}: ${value}` };
}

type EntryReader = (source: ProxmoxSource, value: string, place: ImportPlace, key: string) => void;

const set =
  (name: string, convert: (value: string) => string = (value) => value): EntryReader =>
  ({ draft }, value, place) =>
    draft.set(place, name, convert(value));

const lost =
  (reason: string): EntryReader =>
  ({ draft }, _value, place) =>
    draft.lose(place, reason);

const onOff = (value: string): string => (value === '1' || value === 'on' || value === 'yes' ? 'on' : 'off');

const READERS: Readonly<Record<string, EntryReader>> = {
  name: set('NAME'),
  memory: ({ draft }, value, place) => {
    const mebibytes = Number(parseProperties(value, 'current')[0]?.[1] ?? '512');
    draft.set(place, 'RAM', renderSize(mebibytes * 1024 ** 2));
  },
  balloon: ({ draft, values }, value, place) => {
    if (value === '0') draft.set(place, 'BALLOON', 'off');
    else if (value === (values.get('memory') ?? '512')) draft.set(place, 'BALLOON', 'on');
    else draft.setChanged(place, 'BALLOON', 'on', 'all memory is given at the start; see "qemu-init balloon"');
  },
  sockets: ({ draft, values }, _value, place) => draft.carry(place, 'SMP', smpOf(values)),
  cores: ({ draft, values }, _value, place) => draft.carry(place, 'SMP', smpOf(values)),
  vcpus: ({ draft, values }, _value, place) => draft.carry(place, 'SMP', smpOf(values)),
  cpu: ({ draft, values }, value, place) => {
    const { cpu, changed } = cpuOf(value, values);
    if (changed === undefined) draft.set(place, 'CPU', cpu);
    else draft.setChanged(place, 'CPU', cpu, changed);
    for (const [name, text] of parseProperties(value, 'cputype')) {
      const reason = ignoredReason(name);
      if (reason !== undefined) draft.lose({ line: place.line, source: `cpu: ${name}=${text}` }, reason);
    }
  },
  machine: () => undefined,
  bios: ({ draft }, value, place) => {
    if (value === 'ovmf') draft.carry(place, 'FIRMWARE', draft.settings.get('FIRMWARE'));
    else draft.set(place, 'FIRMWARE', 'bios');
  },
  efidisk0: readFirmwareDisk,
  tpmstate0: ({ draft }, value, place) => {
    if (/version=v2\.0/.test(value))
      draft.setChanged(place, 'TPM', 'on', 'a new TPM: what was sealed needs its recovery key');
    else draft.refuse(place, 'there is no TPM 1.2');
  },
  ostype: ({ draft }, value, place) => draft.set(place, 'OS', value),
  vmgenid: ({ draft }, value, place) => {
    if (value === '0') draft.set(place, 'VMGENID', 'off');
    else if (value === '1') draft.set(place, 'VMGENID', 'on');
    else draft.set(place, 'VMGENID', value.toLowerCase());
  },
  smbios1: readSmbios,
  onboot: ({ draft }, value, place) => draft.set(place, 'AUTOSTART', onOff(value)),
  startup: readStartup,
  boot: readBoot,
  bootdisk: ({ draft, values }, value, place) => {
    if (values.get('boot')?.includes('order=')) draft.lose(place, '"boot: order=" counts instead');
    else if (values.has(value)) draft.carry(place, 'bootindex', value);
    else draft.lose(place, 'there is no such disk');
  },
  agent: ({ draft }, value, place) => {
    const words = parseProperties(value, 'enabled');
    draft.set(place, 'QGA', onOff(words.find(([name]) => name === 'enabled')?.[1] ?? '0'));
    for (const [name, text] of words) {
      if (name === 'type' && text !== 'virtio')
        draft.lose({ line: place.line, source: `agent: type=${text}` }, 'the channel is virtio');
    }
    loseParts(draft, value, place, ['enabled', 'type'], 'belongs to backups and clones by Proxmox');
  },
  vga: readVga,
  keyboard: ({ draft }, value, place) => draft.set(place, 'KEYMAP', value),
  tablet: ({ draft }, value, place) => draft.set(place, 'USB', onOff(value)),
  localtime: ({ draft }, value, place) => draft.set(place, 'RTC', onOff(value) === 'on' ? 'localtime' : 'utc'),
  rng0: ({ draft }, value, place) => {
    if (value.includes('/dev/urandom')) draft.set(place, 'RNG', 'on');
    else draft.setChanged(place, 'RNG', 'on', 'the numbers are from the random source of the host');
    loseParts(draft, value, place, ['source'], 'the rate is not limited');
  },
  watchdog: ({ draft }, value, place) => {
    const words = new Map(parseProperties(value, 'model'));
    const action = words.get('action') ?? 'reset';
    if ((words.get('model') ?? 'i6300esb') === 'i6300esb') draft.set(place, 'WATCHDOG', action);
    else draft.setChanged(place, 'WATCHDOG', action, 'an i6300esb');
  },
  audio0: ({ draft }, value, place) => {
    const words = new Map(parseProperties(value, 'device'));
    const card = words.get('device') === 'AC97' ? 'ac97' : 'hda';
    draft.set(place, 'SOUND', words.get('driver') === 'spice' ? `${card},backend=spice` : `${card},backend=none`);
  },
  args: readArguments,
  kvm: ({ draft }, value, place) => draft.set(place, 'KVM', onOff(value) === 'on' ? 'auto' : 'off'),
  arch: ({ draft }, value, place) => draft.set(place, 'TGTARCH', `qemu-system-${value}`),
  acpi: ({ draft }, value, place) => {
    if (onOff(value) === 'on') draft.carry(place, '');
    else draft.addCustom(place, ['-machine', 'acpi=off'], 'an option of QEMU');
  },
  scsihw: ({ draft }, value, place) => {
    if (value === 'virtio-scsi-pci') draft.carry(place, '', 'SCSI disks are on a virtio controller');
    else draft.change(place, '', 'virtio-scsi-pci', `SCSI disks are on one virtio controller, not on "${value}"`);
  },
  numa: (source, value, place) => {
    if (onOff(value) === 'off') source.draft.carry(place, '');
    else addSocketNodes(source, place);
  },
  reboot: ({ draft }, value, place) => {
    if (onOff(value) === 'on') draft.carry(place, '');
    else draft.addCustom(place, ['-no-reboot'], 'QEMU ends instead of a reboot');
  },
  freeze: ({ draft }, value, place) =>
    onOff(value) === 'on' ? draft.lose(place, 'see "qemu-init start --paused"') : draft.carry(place, ''),
  meta: ({ draft }, value, place) => draft.lose(place, `a note of Proxmox: ${value}`),
  digest: lost('a checksum of Proxmox'),
  '#qmdump': lost('a note of the backup program of Proxmox'),
  tags: ({ draft }, value, place) => {
    draft.settings.set(
      'DESC',
      [draft.settings.get('DESC'), `tags: ${value}`].filter((each) => each !== undefined).join('; '),
    );
    draft.change(place, 'DESC', value, 'as text');
  },
  template: ({ draft }, value, place) =>
    onOff(value) === 'on'
      ? draft.refuse(place, 'a template is copied, not started: clone it first')
      : draft.carry(place, ''),
  lock: ({ draft }, value, place) => draft.refuse(place, `Proxmox is busy with it (${value}): wait until it has ended`),
  protection: lost('see "qemu-init delete", which asks'),
  hookscript: lost('see PRECMD, POSTCMD, PRESTOP and POSTSTOP'),
  hotplug: lost('devices are plugged by "qemu-init reload"'),
  cpulimit: ({ draft }, value, place) => {
    if (Number(value) > 0) draft.set(place, 'LIMIT_CPU', `${Math.round(Number(value) * 100)}%`);
    else draft.carry(place, '', 'no limit');
  },
  cpuunits: lost('machines have no weights; see LIMIT_CPU'),
  affinity: set('CPUSET'),
  parent: lost('the snapshot that it goes on from: only Proxmox can go back to it'),
  vmstate: lost('a saved state that only Proxmox can load'),
  migrate_speed: lost('belongs to moves by Proxmox'),
  migrate_downtime: lost('belongs to moves by Proxmox'),
  spice_enhancements: lost('SPICE is used with its defaults'),
  vmstatestorage: lost('saved states are in the state folder'),
  hugepages: ({ draft }, value, place) => {
    const size = { 2: '2M', 1024: '1G', any: 'on' }[value];
    if (size === undefined) draft.lose(place, 'huge pages are of 2M or 1G');
    else draft.set(place, 'HUGEPAGES', size);
  },
  keephugepages: lost('the host keeps huge pages, not the machine'),
  ivshmem: lost('shared memory is not set up'),
  smp: ({ draft, values }, _value, place) => draft.carry(place, 'SMP', smpOf(values)),
  startdate: ({ draft }, value, place) => {
    if (value === 'now') draft.carry(place, 'RTC');
    else draft.lose(place, 'the clock begins with the time of the host');
  },
  tdf: ({ draft }, value, place) =>
    onOff(value) === 'on' ? draft.set(place, 'RTC', 'utc,driftfix=slew') : draft.carry(place, 'RTC'),
  autostart: lost('see AUTOSTART'),
  'amd-sev': ({ draft }, _value, place) => draft.refuse(place, 'encrypted memory is not set up'),
  'intel-tdx': ({ draft }, _value, place) => draft.refuse(place, 'encrypted memory is not set up'),
  'running-nets-host-mtu': lost('a value of the running machine'),
  runningmachine: lost('a value of the running machine'),
  runningcpu: lost('a value of the running machine'),
};

function readEntry(source: ProxmoxSource, entry: ConfEntry): void {
  const place = placeOf(entry);
  const { key, value } = entry;
  const { draft } = source;
  const [, stem = '', number = ''] = /^([a-z]+)(\d+)$/.exec(key) ?? [];
  const reader = READERS[key];
  if (reader) reader(source, value, place, key);
  else if (['scsi', 'sata', 'ide', 'virtio'].includes(stem) || key === 'cdrom')
    readDrive(source, value, place, key === 'cdrom' ? 'ide2' : key);
  else if (stem === 'net') readNic(source, value, place);
  else if (stem === 'ipconfig' || /^(?:ci\w+|sshkeys|nameserver|searchdomain|cicustom)$/.test(key)) {
    draft.lose(
      { line: place.line, source: key === 'cipassword' ? 'cipassword: (secret)' : place.source },
      'see CLOUDINIT: the seed is made by "qemu-init create"',
    );
  } else if (stem === 'serial') {
    if (number === '0' && value === 'socket') draft.set(place, 'SERIAL', 'on');
    else draft.lose(place, 'a machine has one serial port, on a socket');
  } else if (stem === 'usb') readUsb(draft, value, place);
  else if (stem === 'hostpci') readHostPci(draft, value, place);
  else if (stem === 'unused') draft.lose(place, 'a volume that no disk uses; it stays where it is');
  else if (stem === 'parallel') draft.lose(place, 'there are no parallel ports');
  else if (stem === 'numa') readNode(source, value, place);
  else if (stem === 'virtiofs') draft.lose(place, 'directory mappings are known to Proxmox only: see SHAREx');
  else draft.lose(place, `"${key}" has no counterpart`);
}

/** The version that Windows without a note of its creation has there. */
const UNKNOWN_CREATION = '5.1';

/** What the machine type and the firmware are, before the keys that need them. */
function readBoard({ draft, values }: ProxmoxSource, { entries }: Conf): void {
  const entry = entries.find(({ key }) => key === 'machine');
  const written = new Map(parseProperties(values.get('machine') ?? '', 'type'));
  const type = written
    .get('type')
    ?.replace(/\+pve\d+/, '')
    .replace(/\.pxe$/, '');
  const creation = /creation-qemu=([\d.]+)/.exec(values.get('meta') ?? '')?.[1];
  // Without a type it is the i440FX; Windows keeps the version that it was installed on.
  const isWindows = (values.get('ostype') ?? '').startsWith('w');
  const version = isWindows ? (creation ?? UNKNOWN_CREATION).split('.').slice(0, 2).join('.') : undefined;
  const board =
    type === undefined || type === 'pc'
      ? version === undefined
        ? 'pc'
        : `pc-i440fx-${version}`
      : type === 'q35' && version !== undefined
        ? `pc-q35-${version}`
        : type;
  draft.settings.set('MACHINE', board);
  if (entry) {
    if (type === written.get('type') && type === board) draft.carry(placeOf(entry), 'MACHINE', board);
    else
      draft.change(
        placeOf(entry),
        'MACHINE',
        board,
        type === board ? 'without the version of Proxmox' : 'the version that the machine was created with',
      );
    for (const [name, value] of written) {
      if (name !== 'type')
        draft.lose({ line: entry.line, source: `machine: ${name}=${value}` }, 'can only be given in [custom]');
    }
  }
  if (values.get('bios') === 'ovmf') {
    const isSecure = /pre-enrolled-keys=1/.test(values.get('efidisk0') ?? '');
    draft.settings.set('FIRMWARE', isSecure ? 'uefi-secure' : 'uefi');
  }
}

function smpOf(values: ReadonlyMap<string, string>): string {
  const sockets = Number(values.get('sockets') ?? values.get('smp') ?? '1');
  const cores = Number(values.get('cores') ?? '1');
  const all = sockets * cores;
  const vcpus = values.get('vcpus');
  const first = vcpus !== undefined && Number(vcpus) < all ? `${vcpus},maxcpus=${all}` : String(all);
  return `${first},sockets=${sockets},cores=${cores},threads=1`;
}

/** What Proxmox does when a file says nothing (qm.conf(5)), where it differs from the defaults here. */
function assumeDefaults({ draft, values }: ProxmoxSource): void {
  const isWindows = (values.get('ostype') ?? '').startsWith('w');
  setProcessors(draft, smpOf(values));
  draft.assume('RAM', '512M');
  draft.assume('BALLOON', 'on');
  draft.assume('CPU', cpuOf('kvm64', values).cpu);
  draft.assume('FIRMWARE', 'bios');
  draft.assume('RTC', isWindows ? 'localtime' : 'utc');
  draft.assume('QGA', 'off');
  draft.assume('RNG', 'off');
  draft.assume('SERIAL', 'off');
  draft.assume('USB', 'on');
  draft.assume('VGA', 'std');
}

function readDescription(draft: ImportDraft, { description, descriptionLine }: Conf): void {
  if (description === '') return;
  const text = description.replaceAll(/\s+/g, ' ');
  const rest = draft.settings.get('DESC');
  draft.settings.set('DESC', rest === undefined ? text : `${text}; ${rest}`);
  draft.carry({ line: descriptionLine, source: `# ${text}` }, 'DESC', text);
}

function readSmbios({ draft }: ProxmoxSource, value: string, place: ImportPlace): void {
  const words = parseProperties(value, 'uuid');
  const isEncoded = words.some(([name, text]) => name === 'base64' && text === '1');
  const device = draft.addDevice('SMBIOS', 'system');
  for (const [name, text] of words) {
    if (name === 'uuid') draft.settings.set('UUID', text.toLowerCase());
    else if (name !== 'base64') device.options.push([name, isEncoded ? Buffer.from(text, 'base64').toString() : text]);
  }
  if (device.options.length === 0) draft.devices.SMBIOS.pop();
  draft.carry(place, device.options.length > 0 ? device : 'UUID', value);
}

function readStartup({ draft }: ProxmoxSource, value: string, place: ImportPlace): void {
  for (const [name, text] of parseProperties(value, 'order')) {
    const at = { line: place.line, source: `startup: ${name}=${text}` };
    if (name === 'order') draft.set(at, 'BOOTORDER', text);
    // The delay is after this machine there, and before it here.
    else if (name === 'up') draft.setChanged(at, 'BOOTDELAY', text, 'before the start of this machine, not after it');
    else if (name === 'down') draft.set(at, 'STOPDELAY', text);
    else draft.lose(at, 'has no counterpart');
  }
}

/** `order=scsi0;net0`, or letters: a floppy, c disk, d CD-ROM, n network. */
function readBoot({ draft, values }: ProxmoxSource, value: string, place: ImportPlace): void {
  const order = parseProperties(value, 'legacy').find(([name]) => name === 'order')?.[1];
  if (order !== undefined) {
    // Each drive and NIC gets its place as bootindex=.
    if (order === '') draft.lose(place, 'nothing is to be booted: QEMU tries its own order');
    else draft.carry(place, 'bootindex', order);
    return;
  }
  const letters = lettersOf(value);
  // With bootdisk, single drives and NICs have their places.
  if (values.has(values.get('bootdisk') ?? '')) {
    draft.carry(place, 'bootindex', letters);
    return;
  }
  const names: Readonly<Record<string, string>> = { c: 'disk', d: 'cdrom', n: 'network' };
  const devices = letters.split('').flatMap((letter) => names[letter] ?? []);
  if (devices.length > 0) draft.set(place, 'BOOT', devices.join(','));
  else draft.lose(place, 'names no disk, CD-ROM or network');
}

function readVga({ draft }: ProxmoxSource, value: string, place: ImportPlace): void {
  const [first, ...others] = parseProperties(value, 'type');
  const type = first?.[0] === 'type' ? first[1] : 'std';
  const cards: Readonly<Record<string, string>> = {
    std: 'std',
    cirrus: 'cirrus',
    vmware: 'vmware',
    virtio: 'virtio',
    none: 'none',
  };
  const card = cards[type];
  if (card !== undefined) draft.set(place, 'VGA', card);
  else if (type.startsWith('qxl')) {
    draft.settings.set('SPICE', 'on');
    if (type === 'qxl') draft.set(place, 'VGA', 'qxl');
    else draft.setChanged(place, 'VGA', 'qxl', 'one screen');
  } else if (type.startsWith('serial')) {
    draft.settings.set('VNC', 'off');
    draft.setChanged(place, 'VGA', 'none', 'the serial console is the screen: qemu-init console');
  } else draft.setChanged(place, 'VGA', 'virtio', `there is no card "${type}"`);
  for (const [name, text] of others)
    draft.lose({ line: place.line, source: `vga: ${name}=${text}` }, 'has no counterpart');
}

function readArguments({ draft }: ProxmoxSource, value: string, place: ImportPlace): void {
  const words = splitOr(value);
  if (words === undefined) {
    draft.refuse(place, 'the quotes do not match');
    return;
  }
  for (let at = 0; at < words.length; ) {
    const line = [words[at] ?? ''];
    at += 1;
    while (at < words.length && !(words[at] ?? '').startsWith('-')) {
      line.push(words[at] ?? '');
      at += 1;
    }
    draft.addCustom(place, line, 'an option of QEMU that comes last; its ids must not be those of qemu-init');
  }
}

function splitOr(text: string): string[] | undefined {
  try {
    return splitWords(text);
  } catch {
    return undefined;
  }
}

function readUsb(draft: ImportDraft, value: string, place: ImportPlace): void {
  const words = new Map(parseProperties(value, 'host'));
  const host = words.get('host');
  if (words.has('mapping')) draft.refuse(place, 'mappings of devices are known to Proxmox only');
  else if (host === undefined || host === 'spice') draft.lose(place, 'USB devices of viewers are not redirected');
  else draft.carry(place, draft.addDevice('USB', host), host);
  loseParts(draft, value, place, ['host', 'mapping'], 'the controller is USB 3');
}

function readHostPci(draft: ImportDraft, value: string, place: ImportPlace): void {
  const words = new Map(parseProperties(value, 'host'));
  const host = words.get('host');
  if (words.has('mapping') || host === undefined) draft.refuse(place, 'mappings of devices are known to Proxmox only');
  else {
    const addresses = host.split(';').map((each) => (/^[0-9a-f]{4}:/i.test(each) ? each : `0000:${each}`));
    for (const each of addresses) draft.carry(place, draft.addDevice('PCI', each), each);
    for (const [name, text] of words) {
      if (name !== 'host') draft.lose({ line: place.line, source: `hostpci: ${name}=${text}` }, 'has no counterpart');
    }
  }
}

function loseSection(draft: ImportDraft, { name, line, entries }: Conf['sections'][number]): void {
  const reason =
    name === 'PENDING'
      ? 'changes that wait for a restart: what runs now differs from them'
      : name.startsWith('special:')
        ? 'belongs to Proxmox'
        : 'a snapshot: only Proxmox can go back to it; the images have it still';
  draft.lose({ line, source: `[${name}]` }, reason);
  for (const entry of entries) draft.lose(placeOf(entry), reason, true);
}
