import type { CdromConfig, DiskConfig, NicConfig } from '../../../config/device-config.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { element, type XmlNode } from '../xml.ts';

/** What a domain is made of besides its configuration. */
export interface ExportInput {
  readonly config: MachineConfig;
  /** Formats of the images of the disks that do not state one, by the index of the disk. */
  readonly formats: ReadonlyMap<number, string>;
  /** Addresses of the NICs, in their order. */
  readonly macs: readonly string[];
}

/** What is in `<devices>`. */
export function deviceElements({ config, formats, macs }: ExportInput): (XmlNode | undefined)[] {
  const targets = new Map<string, number>();
  const next = (prefix: string): string => {
    const count = targets.get(prefix) ?? 0;
    targets.set(prefix, count + 1);
    return `${prefix}${letters(count)}`;
  };
  return [
    config.targetArch.includes('/') ? element('emulator', {}, config.targetArch) : undefined,
    ...config.disks.map((disk) => diskElement(disk, formats.get(disk.index), next)),
    ...config.cdroms.map((cdrom) => cdromElement(cdrom, next)),
    ...config.nics.map((nic, position) => nicElement(nic, macs[position])),
    ...config.pci.map(({ address }) => pciElement(address)),
    ...config.usb.map(({ device }) => usbElement(device)),
    ...channels(config),
    ...screens(config),
    element('memballoon', { model: config.balloon ? 'virtio' : 'none' }),
    config.rng
      ? element('rng', { model: 'virtio' }, [element('backend', { model: 'random' }, '/dev/urandom')])
      : undefined,
    config.watchdog === 'off' ? undefined : element('watchdog', { model: 'i6300esb', action: config.watchdog }),
    config.onPanic === 'none' ? undefined : element('panic', { model: 'isa' }),
    config.tpm
      ? element('tpm', { model: 'tpm-crb' }, [element('backend', { type: 'emulator', version: '2.0' })])
      : undefined,
  ];
}

/** a, b … z, aa, ab: names of disks. */
function letters(index: number): string {
  const rest = Math.floor(index / 26);
  return (rest > 0 ? letters(rest - 1) : '') + String.fromCharCode('a'.charCodeAt(0) + (index % 26));
}

function diskElement(disk: DiskConfig, format: string | undefined, next: (prefix: string) => string): XmlNode {
  const isDevice = disk.file.startsWith('/dev/');
  const prefix = { virtio: 'vd', ide: 'hd', sata: 'sd', scsi: 'sd', nvme: 'nvme' }[disk.interface];
  const driver = {
    name: 'qemu',
    type: disk.format ?? format ?? 'raw',
    cache: disk.cache,
    io: disk.aio,
    discard: disk.discard,
    detect_zeroes: disk.detectZeroes,
    queues: disk.queues === undefined ? undefined : String(disk.queues),
  };
  return element('disk', { type: isDevice ? 'block' : 'file', device: 'disk' }, [
    element('driver', driver),
    element('source', isDevice ? { dev: disk.file } : { file: disk.file }),
    element('target', {
      dev: next(prefix),
      bus: disk.interface,
      rotation_rate: disk.ssd === true ? '1' : undefined,
    }),
    disk.readonly ? element('readonly') : undefined,
    disk.snapshot ? element('transient') : undefined,
    disk.serial === undefined ? undefined : element('serial', {}, disk.serial),
    disk.rate === undefined ? undefined : element('iotune', {}, [element('total_bytes_sec', {}, String(disk.rate))]),
    bootOrder(disk.bootIndex),
  ]);
}

/** libvirt counts from 1. */
function bootOrder(index: number | undefined): XmlNode | undefined {
  return index === undefined ? undefined : element('boot', { order: String(index + 1) });
}

function cdromElement(cdrom: CdromConfig, next: (prefix: string) => string): XmlNode {
  return element('disk', { type: 'file', device: 'cdrom' }, [
    element('driver', { name: 'qemu', type: 'raw' }),
    cdrom.file === undefined
      ? undefined
      : element('source', { file: cdrom.file, startupPolicy: cdrom.optional ? 'optional' : undefined }),
    element('target', { dev: next('sd'), bus: 'sata' }),
    element('readonly'),
    bootOrder(cdrom.bootIndex),
  ]);
}

const MODELS: Readonly<Record<string, string>> = {
  'virtio-net-pci': 'virtio',
  'virtio-net-pci-transitional': 'virtio-transitional',
  'virtio-net-pci-non-transitional': 'virtio-non-transitional',
};

function nicElement(nic: NicConfig, mac: string | undefined): XmlNode {
  const isUser = nic.net === 'user' || nic.net === 'passt';
  return element('interface', { type: isUser || nic.net === 'none' ? 'user' : 'bridge' }, [
    mac === undefined ? undefined : element('mac', { address: mac.toLowerCase() }),
    nic.net === 'bridge' ? element('source', { bridge: nic.bridge }) : undefined,
    nic.net === 'passt' ? element('backend', { type: 'passt' }) : undefined,
    nic.net === 'none' ? element('link', { state: 'down' }) : undefined,
    element('model', { type: MODELS[nic.model] ?? nic.model }),
    nic.queues === undefined ? undefined : element('driver', { queues: String(nic.queues) }),
    nic.mtu === undefined ? undefined : element('mtu', { size: String(nic.mtu) }),
    nic.vlan === undefined ? undefined : element('vlan', {}, [element('tag', { id: String(nic.vlan) })]),
    nic.isolated ? element('port', { isolated: 'yes' }) : undefined,
    nic.rate === undefined ? undefined : bandwidth(nic.rate),
    nic.lock ? element('filterref', { filter: 'clean-traffic' }) : undefined,
    bootOrder(nic.bootIndex),
  ]);
}

/** In KiB a second, either way. */
function bandwidth(bytes: number): XmlNode {
  const limit = { average: String(Math.ceil(bytes / 1024)) };
  return element('bandwidth', {}, [element('inbound', limit), element('outbound', limit)]);
}

function channels({ serial, agent, usbInput }: MachineConfig): (XmlNode | undefined)[] {
  return [
    serial ? element('serial', { type: 'pty' }, [element('target', { port: '0' })]) : undefined,
    serial ? element('console', { type: 'pty' }, [element('target', { type: 'serial', port: '0' })]) : undefined,
    agent
      ? element('channel', { type: 'unix' }, [element('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' })])
      : undefined,
    ...(usbInput
      ? [element('input', { type: 'tablet', bus: 'usb' }), element('input', { type: 'keyboard', bus: 'usb' })]
      : []),
  ];
}

const CARDS: Readonly<Record<string, string>> = { std: 'vga', vmware: 'vmvga' };

function screens({ vnc, vga, spice, keymap, sound }: MachineConfig): (XmlNode | undefined)[] {
  const cards: Readonly<Record<string, string>> = { hda: 'ich9' };
  return [
    vnc.kind === 'off' ? undefined : vncElement(vnc, keymap),
    spice ? element('graphics', { type: 'spice', autoport: 'yes' }) : undefined,
    vga === 'none' ? undefined : element('video', {}, [element('model', { type: CARDS[vga] ?? vga })]),
    sound === undefined ? undefined : element('sound', { model: cards[sound.card] ?? sound.card }),
  ];
}

function vncElement(vnc: Exclude<MachineConfig['vnc'], { kind: 'off' }>, keymap: string | undefined): XmlNode {
  if (vnc.kind === 'unix') return element('graphics', { type: 'vnc', keymap }, [element('listen', { type: 'socket' })]);
  const port = vnc.display === undefined ? { autoport: 'yes' } : { port: String(vnc.display + 5900), autoport: 'no' };
  return element('graphics', { type: 'vnc', listen: vnc.host, ...port, keymap });
}

/** `0000:03:00.0`. */
function pciElement(address: string): XmlNode {
  const [domain, bus, slot, fn] = address.split(/[:.]/).map((part) => `0x${part}`);
  const place = element('address', { domain, bus, slot, function: fn });
  return element('hostdev', { mode: 'subsystem', type: 'pci', managed: 'yes' }, [element('source', {}, [place])]);
}

/** A device by what it is; libvirt has no ports of hubs. */
function usbElement(device: string): XmlNode | undefined {
  const [, vendor, product] = /^([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(device) ?? [];
  if (vendor === undefined) return undefined;
  return element('hostdev', { mode: 'subsystem', type: 'usb' }, [
    element('source', {}, [element('vendor', { id: `0x${vendor}` }), element('product', { id: `0x${product ?? ''}` })]),
  ]);
}
