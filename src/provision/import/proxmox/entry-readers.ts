import { renderSize } from '../../../config/text/values.ts';
import type { ImportDraft, ImportPlace } from '../draft.ts';
import { decodePercent, parseProperties } from './conf.ts';
import { cpuOf, ignoredReason } from './cpu.ts';
import { readFirmwareDisk } from './drives.ts';
import { addSocketNodes } from './nodes.ts';
import { hasOwnProcessor, readArguments, readBoot, readSmbios, readStartup, readVga } from './options.ts';
import { smpOf } from './smp.ts';
import { loseParts, type ProxmoxSource } from './source.ts';

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

/** How each key is carried over; those with a number in them are read by `readEntry`. */
export const READERS: Readonly<Record<string, EntryReader>> = {
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
    if (hasOwnProcessor(values.get('args'))) {
      draft.lose(place, '"args" has another processor');
      return;
    }
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
    addDescription(draft, `tags: ${value}`);
    draft.change(place, 'DESC', value, 'as text');
  },
  // As "qm config" prints what the file has in its comments.
  description: ({ draft }, value, place) => {
    const text = decodePercent(value).replaceAll(/\s+/g, ' ').trim();
    addDescription(draft, text);
    draft.carry(place, 'DESC', text);
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

function addDescription(draft: ImportDraft, text: string): void {
  draft.settings.set('DESC', [draft.settings.get('DESC'), text].filter((each) => each !== undefined).join('; '));
}
