import type { CdromConfig, DiskConfig, NicConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { element, renderXml, type XmlNode } from './xml.ts';

/** What of a machine its libvirt domain does not have. */
export interface ExportLoss {
  readonly key: string;
  readonly reason: string;
}

/** A machine as the XML of a libvirt domain. */
export interface ExportedDomain {
  readonly text: string;
  readonly lost: readonly ExportLoss[];
}

/** What a domain is made of besides its configuration. */
export interface ExportInput {
  readonly config: MachineConfig;
  /** Formats of the images of the disks that do not state one, by the index of the disk. */
  readonly formats: ReadonlyMap<number, string>;
  /** Addresses of the NICs, in their order. */
  readonly macs: readonly string[];
}

/**
 * Writes a machine as the XML of a libvirt domain (https://libvirt.org/formatdomain.html), for `virsh define`. Images,
 * UUID and MAC addresses are the same, so only one of both may ever run.
 */
export function exportLibvirt(input: ExportInput): ExportedDomain {
  const { config } = input;
  const domain = element(
    'domain',
    { type: config.kvm === 'off' ? 'qemu' : 'kvm', ...(config.custom.length > 0 && { 'xmlns:qemu': QEMU_SCHEMA }) },
    [
      element('name', {}, config.name),
      element('uuid', {}, config.uuid),
      config.vmGenerationId === undefined ? undefined : genid(config.vmGenerationId),
      config.description === '' ? undefined : element('description', {}, config.description),
      element('memory', { unit: 'KiB' }, String(Math.floor(config.memoryBytes / 1024))),
      ...processors(config),
      operatingSystem(config),
      element('features', {}, [
        element('acpi'),
        element('apic'),
        config.firmware === 'uefi-secure' ? element('smm', { state: 'on' }) : undefined,
      ]),
      clock(config),
      element('on_poweroff', {}, 'destroy'),
      element('on_reboot', {}, 'restart'),
      element('on_crash', {}, config.onPanic === 'pause' ? 'preserve' : 'destroy'),
      element('pm', {}, [
        element('suspend-to-mem', { enabled: config.s3 ? 'yes' : 'no' }),
        element('suspend-to-disk', { enabled: config.s4 ? 'yes' : 'no' }),
      ]),
      element('devices', {}, devices(input)),
      config.custom.length === 0 ? undefined : commandLine(config),
    ],
  );
  return { text: renderXml(domain), lost: losses(config) };
}

const QEMU_SCHEMA = 'http://libvirt.org/schemas/domain/qemu/1.0';

function genid(value: string): XmlNode {
  return value === 'on' ? element('genid') : element('genid', {}, value);
}

function processors({ smp, cpu }: MachineConfig): XmlNode[] {
  const words = smp.split(',').map((word) => word.split('='));
  const sizes = new Map(words.flatMap(([name, value]) => (value === undefined ? [] : [[name ?? '', value] as const])));
  const first = words.find(([, value]) => value === undefined)?.[0] ?? sizes.get('cpus');
  const most = sizes.get('maxcpus') ?? first ?? '1';
  const parts = ['sockets', 'dies', 'cores', 'threads'].filter((name) => sizes.has(name));
  const topology = parts.length === 0 ? undefined : element('topology', topologyOf(sizes, Number(most)));
  const [model = '', ...flags] = (cpu ?? '').split(',');
  const features = flags.flatMap((flag) => featureOf(flag) ?? []);
  const mode = model === 'host' ? 'host-passthrough' : model === 'max' || model === '' ? 'maximum' : 'custom';
  return [
    element('vcpu', first !== undefined && first !== most ? { current: first } : {}, most),
    element('cpu', { mode, ...(mode === 'custom' && { match: 'exact' }) }, [
      mode === 'custom' ? element('model', { fallback: 'forbid' }, model) : undefined,
      topology,
      ...features,
    ]),
  ];
}

/** libvirt wants all of sockets, cores and threads. */
function topologyOf(sizes: ReadonlyMap<string, string>, most: number): Record<string, string> {
  const cores = Number(sizes.get('cores') ?? '1');
  const threads = Number(sizes.get('threads') ?? '1');
  const dies = Number(sizes.get('dies') ?? '1');
  const sockets = sizes.get('sockets') ?? String(Math.max(1, Math.floor(most / (cores * threads * dies))));
  return { sockets, dies: String(dies), cores: String(cores), threads: String(threads) };
}

function featureOf(flag: string): XmlNode | undefined {
  const [, sign, name = '', value] = /^([+-]?)([\w.-]+)(?:=(on|off))?$/.exec(flag) ?? [];
  // Those of Hyper-V and KVM are elsewhere.
  if (name === '' || name.startsWith('hv-') || name === 'kvm') return undefined;
  return element('feature', { policy: sign === '-' || value === 'off' ? 'disable' : 'require', name });
}

function operatingSystem(config: MachineConfig): XmlNode {
  const { machine, firmware, firmwareVariables, kernel, initrd, append, boot, targetArch } = config;
  const arch = /qemu-system-(\w+)$/.exec(targetArch)?.[1] ?? 'x86_64';
  const isUefi = firmware === 'uefi' || firmware === 'uefi-secure';
  const names: Readonly<Record<string, string>> = { disk: 'hd', cdrom: 'cdrom', network: 'network' };
  const hasIndex = [...config.disks, ...config.cdroms, ...config.nics].some(({ bootIndex }) => bootIndex !== undefined);
  return element('os', isUefi ? { firmware: 'efi' } : {}, [
    element('type', { arch, machine }, 'hvm'),
    isUefi
      ? element('firmware', {}, [
          element('feature', { enabled: firmware === 'uefi-secure' ? 'yes' : 'no', name: 'secure-boot' }),
        ])
      : undefined,
    !isUefi && firmware !== 'bios' ? element('loader', { readonly: 'yes', type: 'rom' }, firmware) : undefined,
    firmwareVariables === undefined ? undefined : element('nvram', {}, firmwareVariables),
    kernel === undefined ? undefined : element('kernel', {}, kernel),
    initrd === undefined ? undefined : element('initrd', {}, initrd),
    append === '' ? undefined : element('cmdline', {}, append),
    ...(hasIndex
      ? []
      : (boot ?? ['disk', 'cdrom', 'network']).map((device) => element('boot', { dev: names[device] }))),
    config.smbios.length > 0 ? element('smbios', { mode: 'sysinfo' }) : undefined,
  ]);
}

function clock({ rtc, hpet, pit }: MachineConfig): XmlNode {
  return element('clock', { offset: rtc.base }, [
    element('timer', { name: 'rtc', tickpolicy: rtc.driftFix === 'slew' ? 'catchup' : undefined }),
    element('timer', { name: 'pit', tickpolicy: pit }),
    element('timer', { name: 'hpet', present: hpet ? 'yes' : 'no' }),
  ]);
}

function devices({ config, formats, macs }: ExportInput): (XmlNode | undefined)[] {
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
    nic.lock ? element('filterref', { filter: 'clean-traffic' }) : undefined,
    bootOrder(nic.bootIndex),
  ]);
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
    vnc.kind === 'off'
      ? undefined
      : element('graphics', {
          type: 'vnc',
          ...(vnc.kind === 'unix' ? { socket: '' } : { listen: vnc.host }),
          ...(vnc.kind === 'tcp' && vnc.display !== undefined
            ? { port: String(vnc.display + 5900), autoport: 'no' }
            : { autoport: 'yes' }),
          keymap,
        }),
    spice ? element('graphics', { type: 'spice', autoport: 'yes' }) : undefined,
    vga === 'none' ? undefined : element('video', {}, [element('model', { type: CARDS[vga] ?? vga })]),
    sound === undefined ? undefined : element('sound', { model: cards[sound.card] ?? sound.card }),
  ];
}

function commandLine({ custom }: MachineConfig): XmlNode {
  const words = custom.flatMap(({ args }) => args);
  return element(
    'qemu:commandline',
    {},
    words.map((value) => element('qemu:arg', { value })),
  );
}

/** Keys that libvirt has no place for, or that another program would have to do. */
function losses(config: MachineConfig): ExportLoss[] {
  const { origins } = config;
  const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
    [/^(?:AUTOSTART|BOOTORDER|BOOTDELAY|REQUIRES)$/, 'see "virsh autostart"'],
    [/^(?:STOPDELAY|STOPMETHOD|RESTART|ONSHUTDOWN)$/, 'libvirt-guests decides how guests are stopped'],
    [/^(?:PRECMD|POSTCMD|PRESTOP|POSTSTOP)$/, 'see the hooks of libvirt'],
    [/^(?:RUNAS|SANDBOX)$/, 'see user= and seccomp_sandbox= in qemu.conf of libvirt'],
    [/^NUMA\d+$/, 'nodes are not written'],
    [/^(?:MAXRAM|MAXSMP)$/, 'room for more is not written'],
    [/^HUGEPAGES$/, 'see memoryBacking in libvirt'],
    [/^(?:LIMIT_\w+|CPUSET)$/, 'see cputune, memtune and blkiotune in libvirt'],
    [/^CLOUDINIT$/, 'the seed is made by qemu-init: give libvirt the image of it as a disk'],
    [/^(?:BACKUP|OS)$/, 'is not written'],
    [/^SMBIOS\d+$/, 'texts of the firmware tables are not written'],
    [/^(?:SHARE|USB|PCI)\d+$/, 'devices of the host are not written'],
    [/^(?:HOTPLUG|NETIF|BRIDGE_IFNAME)$/, ''],
  ];
  const found = [...origins.keys()].flatMap((key) => {
    const reason = reasons.find(([pattern]) => pattern.test(key))?.[1];
    return reason === undefined || reason === '' ? [] : [{ key, reason }];
  });
  const password = config.vnc.kind !== 'off' && config.vnc.passwordFile !== undefined;
  const keys = config.disks
    .filter(({ key }) => key !== undefined)
    .map(({ index }) => ({
      key: `DSK${index}`,
      reason: 'the key of the image is in a file: define a secret of libvirt',
    }));
  const flags = (config.cpu ?? '').split(',').filter((flag) => flag.startsWith('hv-') || flag.startsWith('kvm='));
  return [
    ...found,
    ...keys,
    ...(password ? [{ key: 'VNC', reason: 'the password is in a file: add passwd=' }] : []),
    ...(flags.length > 0 ? [{ key: 'CPU', reason: `features are elsewhere in libvirt: ${flags.join(',')}` }] : []),
  ];
}
