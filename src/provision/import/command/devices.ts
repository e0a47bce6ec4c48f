import { type CommandOption, others, property } from './options.ts';
import type { CommandSource } from './source.ts';

const VGA_DEVICES: Readonly<Record<string, string>> = {
  VGA: 'std',
  'cirrus-vga': 'cirrus',
  'vmware-svga': 'vmware',
  'qxl-vga': 'qxl',
  'virtio-vga': 'virtio',
  'virtio-gpu-pci': 'virtio',
  'bochs-display': 'bochs',
  ramfb: 'ramfb',
};

/** Controllers that qemu-init makes where devices need them. */
const CONTROLLERS =
  /^(?:pcie-root-port|ioh3420|pcie-pci-bridge|pci-bridge|i82801b11-bridge|x3130-upstream|xio3130-downstream|pxb\S*|virtio-scsi\S*|ich9-ahci|ahci|piix[34]-ide|piix3-usb-uhci|piix4-usb-uhci|ich9-usb-\S+|usb-ehci|nec-usb-xhci|qemu-xhci|virtio-serial\S*|lsi53c895a|megasas\S*|mptsas1068|am53c974|usb-hub)$/;

/** Devices other than disks and network cards. */
export function readDevices(source: CommandSource): void {
  for (const option of source.unused('device')) readDevice(source, option);
  readActions(source);
  readSound(source);
  readTpm(source);
  readShares(source);
  readUsb(source);
  readVgaOption(source);
}

/** Takes what is left of the controllers, once it is known what is on them. */
export function readControllers(source: CommandSource, needed: ReadonlySet<string>): void {
  const ports = source.unused('device').filter((option) => /^hp\d+$/.test(property(option, 'id') ?? ''));
  const isOurs = ports.length > 0 && ports.every((option) => property(option, 'driver') === 'pcie-root-port');
  if (isOurs && !ports.some((option) => needed.has(property(option, 'id') ?? ''))) {
    source.draft.settings.set('HOTPLUG', String(ports.length));
    for (const port of ports) port.isReplaced = true;
    for (const port of ports) source.draft.carry(source.use(port), 'HOTPLUG', String(ports.length));
  }
  for (const option of source.unused('device')) {
    if (!CONTROLLERS.test(property(option, 'driver') ?? '') || needed.has(property(option, 'id') ?? '\0')) continue;
    option.isReplaced = true;
    source.draft.change(source.use(option), '', undefined, 'controllers are made where devices need them');
  }
}

/** Whether an option is a controller that is left out unless something needs it. */
export function isController(option: CommandOption): boolean {
  return option.name === 'device' && CONTROLLERS.test(property(option, 'driver') ?? '');
}

function readDevice(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const driver = property(option, 'driver') ?? '';
  const card = VGA_DEVICES[driver];
  if (card !== undefined && !draft.settings.has('VGA')) {
    draft.set(source.use(option), 'VGA', card);
    source.loseParts(option, others(option, 'driver', 'id', 'bus', 'addr', 'multifunction'), 'has no counterpart');
  } else if (/^virtio-rng-(?:pci|device|ccw)/.test(driver)) readRng(source, option);
  else if (/^virtio-balloon-(?:pci|device|ccw)/.test(driver)) draft.set(source.use(option), 'BALLOON', 'on');
  else if (driver === 'usb-tablet' || driver === 'usb-kbd' || driver === 'usb-mouse') {
    draft.set(source.use(option), 'USB', 'on');
  } else if (driver === 'vmgenid') {
    const guid = property(option, 'guid') ?? 'auto';
    draft.set(source.use(option), 'VMGENID', guid === 'auto' ? 'on' : guid);
  } else if (driver === 'virtserialport') readPort(source, option);
  else if (driver === 'isa-serial' || driver === 'pci-serial') readSerialDevice(source, option);
  else if (driver === 'i6300esb') draft.assume('WATCHDOG', 'reset');
  else if (driver.startsWith('pvpanic')) draft.assume('ONPANIC', 'pause');
  else if (driver === 'vfio-pci') {
    const host = property(option, 'host');
    if (host !== undefined)
      draft.carry(source.use(option), draft.addDevice('PCI', /^\w{4}:/.test(host) ? host : `0000:${host}`), host);
  }
  if ((driver === 'i6300esb' || driver.startsWith('pvpanic')) && !option.isUsed) {
    draft.carry(source.use(option), driver === 'i6300esb' ? 'WATCHDOG' : 'ONPANIC');
  }
}

function readRng(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const backend = source.byId(property(option, 'rng'), 'object');
  draft.set(source.use(option), 'RNG', 'on');
  if (backend) {
    backend.isReplaced = true;
    draft.change(source.use(backend), 'RNG', 'on', 'the numbers are from the random source of the host');
  }
  source.loseParts(option, others(option, 'driver', 'id', 'bus', 'addr', 'rng', 'multifunction'), 'has no counterpart');
}

/** The first serial port; others stay as they are. */
function readSerialDevice(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const chardev = source.byId(property(option, 'chardev'), 'chardev');
  const isFirst = ['0', undefined].includes(property(option, 'index'));
  if (!chardev || !isFirst || draft.settings.has('SERIAL') || property(option, 'driver') !== 'isa-serial') return;
  draft.setChanged(source.use(option), 'SERIAL', 'on', 'a socket with a log: qemu-init console');
  draft.change(source.use(chardev), 'SERIAL', 'on', 'the socket is in the run-time folder');
}

function readPort(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const name = property(option, 'name');
  const key = name === 'org.qemu.guest_agent.0' ? 'QGA' : name === 'com.redhat.spice.0' ? 'SPICE' : undefined;
  if (key === undefined) return;
  draft.set(source.use(option), key, 'on');
  const chardev = source.byId(property(option, 'chardev'), 'chardev');
  if (chardev) draft.change(source.use(chardev), key, undefined, 'the socket is in the run-time folder');
}

/** What a watchdog and a panic do. */
function readActions(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('watchdog')) {
    draft.set(source.use(option), 'WATCHDOG', draft.settings.get('WATCHDOG') ?? 'reset');
  }
  for (const option of source.unused('watchdog-action')) {
    if (option.value !== undefined) draft.set(source.use(option), 'WATCHDOG', option.value);
  }
  for (const option of source.unused('action')) {
    source.use(option);
    for (const [name, value] of option.properties) {
      const place = { line: option.line, source: `-action ${name}=${value}` };
      if (name === 'watchdog') draft.set(place, 'WATCHDOG', value);
      else if (name === 'panic') draft.set(place, 'ONPANIC', value);
      else draft.addCustom(place, ['-action', `${name}=${value}`], 'an option of QEMU');
    }
  }
}

const SOUND_DEVICES: Readonly<Record<string, string>> = {
  'intel-hda': 'hda',
  'ich9-intel-hda': 'hda',
  AC97: 'ac97',
  ES1370: 'es1370',
  'usb-audio': 'usb',
  'virtio-sound-pci': 'virtio',
  'virtio-sound': 'virtio',
};

const CODECS = /^hda-(?:duplex|output|micro)$/;

function readSound(source: CommandSource): void {
  const { draft } = source;
  const cards = source
    .unused('device')
    .filter((option) => SOUND_DEVICES[property(option, 'driver') ?? ''] !== undefined);
  const [card] = cards;
  if (!card) return;
  const kind = SOUND_DEVICES[property(card, 'driver') ?? ''] ?? 'hda';
  const audio = source.unused('audiodev')[0];
  const backend = audio && property(audio, 'driver');
  const value = `${kind}${backend === undefined ? '' : `,backend=${backend}`}`;
  draft.set(source.use(card), 'SOUND', value);
  card.known.add('audiodev');
  if (audio) draft.carry(source.use(audio), 'SOUND', value);
  for (const codec of source.unused('device').filter((option) => CODECS.test(property(option, 'driver') ?? ''))) {
    others(codec, 'audiodev', 'cad');
    draft.carry(source.use(codec), 'SOUND');
  }
}

/** An emulated one; the host's own is not passed on. */
function readTpm(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('device')) {
    if (property(option, 'driver')?.startsWith('tpm-') !== true) continue;
    const backend = source.byId(property(option, 'tpmdev'), 'tpmdev');
    if (!backend || property(backend, 'type') !== 'emulator') continue;
    const chardev = source.byId(property(backend, 'chardev'), 'chardev');
    const reason = 'a new TPM: what was sealed needs its recovery key';
    draft.settings.set('TPM', 'on');
    for (const each of [option, backend, ...(chardev ? [chardev] : [])]) {
      draft.change(source.use(each), 'TPM', 'on', reason);
    }
  }
}

/** Folders of the host: `-virtfs`, or `-fsdev` with its device. */
function readShares(source: CommandSource): void {
  const { draft } = source;
  const add = (
    options: readonly CommandOption[],
    path: string | undefined,
    tag: string | undefined,
    isReadonly: boolean,
  ): void => {
    if (path === undefined || tag === undefined) return;
    const device = draft.addDevice('SHARE', source.path(path), [
      ['tag', tag],
      ['driver', '9p'],
      ...(isReadonly ? [['readonly', 'on'] as [string, string]] : []),
    ]);
    for (const option of options) {
      others(option, 'fsdriver', 'fsdev', 'mount_tag', ...sameForAll(option));
      draft.carry(source.use(option), device);
    }
  };
  for (const option of source.unused('virtfs')) {
    add([option], property(option, 'path'), property(option, 'mount_tag'), property(option, 'readonly') === 'on');
  }
  for (const option of source.unused('device')) {
    if (property(option, 'driver')?.startsWith('virtio-9p-') !== true) continue;
    const fsdev = source.byId(property(option, 'fsdev'), 'fsdev');
    if (fsdev)
      add(
        [option, fsdev],
        property(fsdev, 'path'),
        property(option, 'mount_tag'),
        property(fsdev, 'readonly') === 'on',
      );
  }
}

/** Properties that every shared folder has here; another value is lost. */
function sameForAll(option: CommandOption): readonly string[] {
  return Object.entries({ security_model: /^mapped(?:-xattr)?$/, multidevs: /^remap$/ }).flatMap(([name, ours]) =>
    ours.test(property(option, name) ?? '') ? [name] : [],
  );
}

function readUsb(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('usbdevice')) {
    if (option.value === 'tablet' || option.value === 'keyboard' || option.value === 'mouse')
      draft.set(source.use(option), 'USB', 'on');
  }
  for (const option of source.unused('usb'))
    draft.change(source.use(option), 'USB', undefined, 'the controller is there with USB=on');
  for (const option of source.unused('device')) {
    if (property(option, 'driver') !== 'usb-host') continue;
    const [vendor, product] = [property(option, 'vendorid'), property(option, 'productid')];
    const [bus, address] = [property(option, 'hostbus'), property(option, 'hostport')];
    const strip = (text: string): string => text.replace(/^0x/, '').padStart(4, '0');
    const head =
      vendor && product ? `${strip(vendor)}:${strip(product)}` : bus && address ? `${bus}-${address}` : undefined;
    if (head !== undefined) draft.carry(source.use(option), draft.addDevice('USB', head), head);
  }
}

function readVgaOption(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('vga')) {
    const value = option.value === 'vmware' ? 'vmware' : (option.value ?? 'std');
    draft.set(source.use(option), 'VGA', value);
  }
}
