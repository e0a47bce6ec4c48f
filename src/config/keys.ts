/** How the value of a key is read. */
export type KeyType =
  | 'bootDevices'
  | 'bridge'
  | 'cdrom'
  | 'choice'
  | 'command'
  | 'cpu'
  | 'disk'
  | 'firmware'
  | 'ids'
  | 'integer'
  | 'keymap'
  | 'machineType'
  | 'name'
  | 'nic'
  | 'numa'
  | 'path'
  | 'program'
  | 'raw'
  | 'rtc'
  | 'size'
  | 'smbios'
  | 'smp'
  | 'sound'
  | 'switch'
  | 'text'
  | 'user'
  | 'uuid'
  | 'vmgenid'
  | 'vnc';

/** One `option=value` of a comma list. */
export interface OptionSpec {
  readonly name: string;
  readonly type: 'choice' | 'integer' | 'switch' | 'text';
  /** Empty: none. */
  readonly default: string;
  readonly values?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** One line. */
  readonly doc: string;
  /** The name alone means on. */
  readonly bare?: true;
  /** May be given more than once. */
  readonly repeated?: true;
  /** May not stand in defaults-qemu.cfg. */
  readonly inDefaults?: false;
}

/** One key, or one family of keys numbered from 1. The only source of parser, template, man page and completion. */
export interface KeySpec {
  /** `RAM`; of a family its stem: `DSK`. */
  readonly name: string;
  /** Numbered: DSK1, DSK2 … */
  readonly family?: true;
  /** What is written before the number, where another key has that name. */
  readonly stem?: string;
  /** Heading in the template and the man page. */
  readonly group: string;
  readonly type: KeyType;
  /** As it would be written; empty: none, or worked out. */
  readonly default: string;
  /** Words that are allowed; for a type that takes other text too, its special words. */
  readonly values?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** One line. */
  readonly doc: string;
  /** Further paragraphs. */
  readonly details?: readonly string[];
  /** What the template shows where there is no default. */
  readonly example?: string;
  /** Options of a comma list. */
  readonly options?: readonly OptionSpec[];
  /** Words that others use for it; for hints only. */
  readonly otherNames?: readonly string[];
  /** May not stand in defaults-qemu.cfg: it can only be true of one machine. */
  readonly inDefaults?: false;
  /** Few machines need it: it comes after all others in the template. */
  readonly isRare?: true;
  /** The key is read and checked, but has no effect in this version, and using it is an error: what is missing, as a clause. */
  readonly notYet?: string;
}

export const SWITCH_VALUES = ['on', 'off'] as const;
export const KVM_VALUES = ['auto', 'on', 'off'] as const;
export const FIRMWARE_VALUES = ['bios', 'uefi', 'uefi-secure'] as const;
export const BOOT_VALUES = ['disk', 'cdrom', 'network'] as const;
export const DISK_INTERFACES = ['virtio', 'ide', 'sata', 'scsi', 'nvme'] as const;
export const NET_BACKENDS = ['bridge', 'user', 'passt', 'none'] as const;
export const NETIF_VALUES = ['hook', 'managed'] as const;
export const STOP_METHODS = ['auto', 'acpi', 'agent'] as const;
export const RESTART_VALUES = ['no', 'on-failure', 'always'] as const;
export const VGA_VALUES = ['std', 'cirrus', 'vmware', 'qxl', 'virtio', 'bochs', 'ramfb', 'none'] as const;
/** `off`, or an action of `-action watchdog=` (qemu-system(1)). */
export const WATCHDOG_VALUES = [
  'off',
  'reset',
  'shutdown',
  'poweroff',
  'inject-nmi',
  'pause',
  'debug',
  'none',
] as const;
/** `none`, or an action of `-action panic=` (qemu-system(1)). */
export const PANIC_VALUES = ['none', 'pause', 'shutdown', 'exit-failure'] as const;
/** What a real-time clock shows: `base=` of `-rtc` (qemu-system(1)). */
export const RTC_VALUES = ['utc', 'localtime'] as const;
/** What happens to ticks that the guest missed: `driftfix=` of `-rtc`. */
export const DRIFTFIX_VALUES = ['none', 'slew'] as const;
/** `lost_tick_policy` of `kvm-pit`. */
export const PIT_VALUES = ['delay', 'discard'] as const;
/** `on` is `hda`. */
export const SOUND_VALUES = ['off', 'on', 'hda', 'ac97', 'es1370', 'usb', 'virtio'] as const;
/** Backends of `-audiodev` (qemu-system(1)) that need nothing said about them. */
export const AUDIO_BACKENDS = ['none', 'alsa', 'dbus', 'jack', 'oss', 'pa', 'pipewire', 'sdl', 'spice'] as const;
/** Files of /usr/share/qemu/keymaps, of QEMU 7.2 and 10. */
export const KEYMAP_VALUES = [
  'ar',
  'bepo',
  'cz',
  'da',
  'de',
  'de-ch',
  'en-gb',
  'en-us',
  'es',
  'et',
  'fi',
  'fo',
  'fr',
  'fr-be',
  'fr-ca',
  'fr-ch',
  'hr',
  'hu',
  'is',
  'it',
  'ja',
  'lt',
  'lv',
  'mk',
  'nl',
  'no',
  'pl',
  'pt',
  'pt-br',
  'ru',
  'sl',
  'sv',
  'th',
  'tr',
] as const;
/** `policy=` of memory backends (qemu-system(1), "-object memory-backend-ram"). */
export const NUMA_POLICIES = ['bind', 'interleave', 'preferred'] as const;
/** Tables of SMBIOS by their names in libvirt. */
export const SMBIOS_TABLES = ['bios', 'system', 'baseboard', 'chassis', 'processor', 'oem'] as const;
export const MONITOR_VALUES = ['tcp', 'off'] as const;
export const TLS_VALUES = ['psk', 'off'] as const;

/** Image formats that QEMU can write to, and at the end those that it only reads. */
export const IMAGE_FORMATS = [
  'raw',
  'qcow2',
  'qcow',
  'qed',
  'vmdk',
  'vdi',
  'vhdx',
  'vpc',
  'luks',
  'parallels',
  'bochs',
  'cloop',
  'dmg',
] as const;

/** Memory when RAM is not set. */
export const DEFAULT_MEMORY_BYTES = 2 * 1024 ** 3;

/** Least and most memory, in bytes. */
export const MEMORY_RANGE = { min: 1024 ** 2, max: 16 * 1024 ** 4 } as const;

const DISK_OPTIONS = [
  {
    name: 'format',
    type: 'choice',
    default: '',
    values: IMAGE_FORMATS,
    doc: 'image format; if not given, found out at the first start, after which it must stay the same',
  },
  { name: 'if', type: 'choice', default: 'virtio', values: DISK_INTERFACES, doc: 'controller that the guest sees' },
  {
    name: 'cache',
    type: 'choice',
    default: '',
    values: ['writeback', 'none', 'writethrough', 'directsync', 'unsafe'],
    doc: "how the host's page cache is used; QEMU's own default when not given",
  },
  {
    name: 'aio',
    type: 'choice',
    default: '',
    values: ['threads', 'native', 'io_uring'],
    doc: 'how the host reads and writes; native needs cache=none or cache=directsync',
  },
  {
    name: 'discard',
    type: 'choice',
    default: '',
    values: ['ignore', 'unmap'],
    doc: 'unmap: blocks that the guest frees are freed in the image',
  },
  {
    name: 'detect-zeroes',
    type: 'choice',
    default: '',
    values: ['off', 'on', 'unmap'],
    doc: 'on: zeroes are written as such, with no data; unmap: they are freed, which needs discard=unmap',
  },
  { name: 'readonly', type: 'switch', default: 'off', values: SWITCH_VALUES, doc: 'the guest cannot write' },
  {
    name: 'snapshot',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: what the guest writes is thrown away when it ends',
  },
  {
    name: 'serial',
    type: 'text',
    default: '',
    doc: 'serial number that the guest sees, at most 20 characters (scsi: 36)',
  },
  {
    name: 'ssd',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: the guest sees a disk that does not rotate (ide, sata, scsi)',
  },
  {
    name: 'iothread',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: a thread of QEMU for this disk alone (virtio)',
  },
  {
    name: 'queues',
    type: 'integer',
    default: '',
    min: 1,
    max: 256,
    doc: 'queues (virtio); as many as processors if not given',
  },
  {
    name: 'bootindex',
    type: 'integer',
    default: '',
    min: 0,
    max: 9999,
    inDefaults: false,
    doc: 'place in the boot order, lowest first, before all that BOOT orders',
  },
  {
    name: 'key',
    type: 'text',
    default: '',
    doc: 'file with the key of a LUKS or encrypted qcow2 image, used byte for byte',
  },
  {
    name: 'backing',
    type: 'text',
    default: '',
    repeated: true,
    doc: 'what the header of the image may lead QEMU to: a file, or as written there nbd://10.0.0.1/base',
  },
] as const satisfies readonly OptionSpec[];

const CDROM_OPTIONS = [
  {
    name: 'optional',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    bare: true,
    doc: 'on, or just the word: when the file is missing the drive is empty, with a warning',
  },
  {
    name: 'bootindex',
    type: 'integer',
    default: '',
    min: 0,
    max: 9999,
    inDefaults: false,
    doc: 'place in the boot order, lowest first, before all that BOOT orders',
  },
] as const satisfies readonly OptionSpec[];

const NIC_OPTIONS = [
  { name: 'bridge', type: 'text', default: '', doc: 'bridge that the tap joins; BRIDGE_IFNAME when not given' },
  {
    name: 'mac',
    type: 'text',
    default: '',
    inDefaults: false,
    doc: 'address of the NIC, xx:xx:xx:xx:xx:xx; worked out from NAME, OS and the number when not given',
  },
  {
    name: 'net',
    type: 'choice',
    default: 'bridge',
    values: NET_BACKENDS,
    doc: "bridge: a tap on a bridge; user: QEMU's own NAT; passt: NAT by passt(1); none: a cable to nowhere",
  },
  {
    name: 'hostfwd',
    type: 'text',
    default: '',
    repeated: true,
    doc: 'tcp or udp:HOST-ADDRESS:PORT-GUEST-ADDRESS:PORT for net=user and passt; an empty address is any',
  },
  {
    name: 'vlan',
    type: 'integer',
    default: '',
    min: 1,
    max: 4094,
    doc: 'VLAN of the bridge port',
  },
  { name: 'queues', type: 'integer', default: '', min: 1, max: 256, doc: 'pairs of queues' },
  { name: 'mtu', type: 'integer', default: '', min: 68, max: 65535, doc: 'largest packet, in bytes' },
  {
    name: 'isolated',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: no traffic to other isolated ports of the bridge',
  },
  {
    name: 'lock',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: nothing leaves the NIC but from its own MAC and, with ip=, from those addresses',
  },
  {
    name: 'ip',
    type: 'text',
    default: '',
    repeated: true,
    inDefaults: false,
    doc: 'address, plain or CIDR, that lock=on lets through',
  },
  {
    name: 'bootindex',
    type: 'integer',
    default: '',
    min: 0,
    max: 9999,
    inDefaults: false,
    doc: 'place in the boot order, lowest first, before all that BOOT orders',
  },
] as const satisfies readonly OptionSpec[];

const RTC_OPTIONS = [
  {
    name: 'driftfix',
    type: 'choice',
    default: 'none',
    values: DRIFTFIX_VALUES,
    doc: 'slew: ticks that the guest missed are made up for, which old Windows needs to keep the time',
  },
] as const satisfies readonly OptionSpec[];

const SOUND_OPTIONS = [
  {
    name: 'backend',
    type: 'choice',
    default: 'none',
    values: AUDIO_BACKENDS,
    doc: 'where the host plays it; none: VNC and SPICE viewers still get it',
  },
] as const satisfies readonly OptionSpec[];

const NUMA_OPTIONS = [
  { name: 'cpus', type: 'text', default: '', repeated: true, doc: 'processors of the node: a number from 0, or 0-3' },
  { name: 'hostnodes', type: 'text', default: '', doc: 'nodes of the host that the memory comes from: 0, or 0-1' },
  {
    name: 'policy',
    type: 'choice',
    default: 'bind',
    values: NUMA_POLICIES,
    doc: 'how strictly it comes from there',
  },
] as const satisfies readonly OptionSpec[];

const SMBIOS_OPTIONS = [
  { name: 'manufacturer', type: 'text', default: '', doc: 'of system, baseboard, chassis, processor' },
  { name: 'product', type: 'text', default: '', doc: 'of system, baseboard' },
  { name: 'version', type: 'text', default: '', doc: 'of all but oem' },
  { name: 'serial', type: 'text', default: '', doc: 'of system, baseboard, chassis, processor' },
  { name: 'sku', type: 'text', default: '', doc: 'of system, chassis' },
  { name: 'family', type: 'text', default: '', doc: 'of system' },
  { name: 'asset', type: 'text', default: '', doc: 'asset tag of baseboard, chassis, processor' },
  { name: 'location', type: 'text', default: '', doc: 'of baseboard' },
  { name: 'vendor', type: 'text', default: '', doc: 'of bios' },
  { name: 'date', type: 'text', default: '', doc: 'of bios' },
  { name: 'release', type: 'text', default: '', doc: 'of bios: two numbers from 0 to 255, such as 1.2' },
  { name: 'part', type: 'text', default: '', doc: 'part number of processor' },
  { name: 'value', type: 'text', default: '', repeated: true, doc: 'of oem: a string' },
] as const satisfies readonly OptionSpec[];

const FIRMWARE_OPTIONS = [
  {
    name: 'vars',
    type: 'text',
    default: '',
    doc: "the machine's variables, in place of a file in the state folder; the guest writes to it",
  },
] as const satisfies readonly OptionSpec[];

const VNC_OPTIONS = [
  {
    name: 'password',
    type: 'text',
    default: '',
    doc: 'file with the password in its first line, of at most 8 characters; closed to others',
  },
] as const satisfies readonly OptionSpec[];

const IDENTITY = 'Identity';
const HARDWARE = 'Hardware';
const BOOT = 'Firmware and boot';
const STORAGE = 'Disks and CD-ROMs';
const NETWORK = 'Network';
const CHANNELS = 'Display and channels';
const RIGHTS = 'Rights of QEMU';
const LIFE = 'Start and stop';
const HOST_DEVICES = 'Host devices';

const COMMAND_DETAIL =
  'One program with arguments, split into words as a shell does it and run without a shell: nothing is expanded.';

const FILE_NAME_DETAIL =
  'The file name ends at the first ",option="; other commas belong to it (my,disk.img). Where a comma is followed by ' +
  'a word and "=", or by nothing but the name of an option, write it twice: "a,,b=c.img" is the file "a,b=c.img". ' +
  'Relative names start from the folder of the cfg file.';

const TABLE = [
  {
    name: 'NAME',
    group: IDENTITY,
    type: 'name',
    default: '',
    example: 'web',
    inDefaults: false,
    otherNames: ['HOSTNAME', 'VM_NAME', 'VMNAME'],
    doc: "name of the guest; the long name of the machine (the file's name without -qemu.cfg) when not given",
  },
  {
    name: 'OS',
    group: IDENTITY,
    type: 'text',
    default: '',
    example: 'debian',
    doc: 'label of the operating system; with NAME and the number of the NIC the input of its MAC address',
  },
  { name: 'DESC', group: IDENTITY, type: 'text', default: '', example: 'web server', doc: 'free text, shown in lists' },
  {
    name: 'UUID',
    group: IDENTITY,
    type: 'uuid',
    default: '',
    example: '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
    inDefaults: false,
    isRare: true,
    doc: 'UUID of the guest; worked out from NAME (RFC 4122, version 5) when not given',
  },

  {
    name: 'TGTARCH',
    group: HARDWARE,
    type: 'program',
    default: 'qemu-system-x86_64',
    otherNames: ['ARCH', 'QEMU', 'VM_ARCH'],
    isRare: true,
    doc: 'QEMU program, name or path',
  },
  {
    name: 'MACHINE',
    group: HARDWARE,
    type: 'machineType',
    default: 'q35',
    doc: 'machine type as for -machine; a versioned one such as pc-q35-7.2 keeps the hardware through QEMU upgrades',
    details: [
      'Where TGTARCH has no q35 the default is the board of that target: virt (aarch64, arm, riscv64, loongarch64 …), ' +
        's390-ccw-virtio, pseries (ppc64).',
    ],
  },
  {
    name: 'CPU',
    group: HARDWARE,
    type: 'cpu',
    default: 'auto',
    values: ['auto', 'host', 'max'],
    doc: 'processor model as for -cpu; auto: host under KVM, max without where there is one',
    details: [
      'On x86 x86-64-v2, x86-64-v2-AES, x86-64-v3 and x86-64-v4 are processors with what those levels ask for and no more, so ' +
        'that a machine can move between hosts of different makes. More can be added: x86-64-v3,+pcid.',
    ],
  },
  {
    name: 'SMP',
    group: HARDWARE,
    type: 'smp',
    default: '1',
    min: 1,
    max: 1024,
    otherNames: ['CPUS', 'VCPU', 'VCPUS', 'CORES', 'CPU_CORES', 'VCORES', 'VM_SMP'],
    doc: 'processors as for -smp: a number, or cpus=, sockets=, cores=, threads= …',
  },
  {
    name: 'RAM',
    group: HARDWARE,
    type: 'size',
    default: '2G',
    otherNames: ['MEM', 'MEMORY', 'MAXMEM', 'VM_MEMORY'],
    doc: 'memory, 1M to 16T: a bare number is MiB, K, M, G and T are powers of 1024 (2GB is 2G)',
  },
  {
    name: 'KVM',
    group: HARDWARE,
    type: 'choice',
    default: 'auto',
    values: KVM_VALUES,
    otherNames: ['ACCEL', 'ENABLE_KVM'],
    isRare: true,
    doc: "on, off, or auto: KVM when a guest really runs with it here, else QEMU's emulation, with a notice",
  },
  {
    name: 'RNG',
    group: HARDWARE,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'virtio source of random numbers',
  },
  {
    name: 'BALLOON',
    group: HARDWARE,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'virtio memory balloon',
  },
  {
    name: 'HOTPLUG',
    group: HARDWARE,
    type: 'integer',
    default: '8',
    min: 0,
    max: 24,
    isRare: true,
    doc: 'PCIe root ports kept free for devices that are plugged in later, on q35 and virt',
    details: [
      'They are in the PCI slots 0x1c to 0x1e, eight to a slot; no other device moves when there are more or fewer. The ports ' +
        'of the default leave out a slot that a device of [custom] is in. The machine type pc has no such ports: devices are ' +
        'plugged into its PCI bus.',
    ],
  },
  {
    name: 'USB',
    group: HARDWARE,
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    otherNames: ['TABLET', 'USBTABLET', 'USB_TABLET'],
    doc: 'USB 3 controller with a tablet and a keyboard: the pointer of a viewer is where that of the guest is',
  },
  {
    name: 'SOUND',
    group: HARDWARE,
    type: 'sound',
    default: 'off',
    values: SOUND_VALUES,
    options: SOUND_OPTIONS,
    otherNames: ['AUDIO', 'SOUNDCARD', 'SOUND_CARD', 'SOUNDHW'],
    isRare: true,
    doc: 'sound card; on is hda',
    details: [
      'Other backends than none and spice open devices or sockets of the host as the user that QEMU runs as. The units of the system ' +
        'let them open none: they are for machines of a user who sits at the host.',
    ],
  },
  {
    name: 'RTC',
    group: HARDWARE,
    type: 'rtc',
    default: '',
    values: RTC_VALUES,
    options: RTC_OPTIONS,
    example: 'utc',
    otherNames: ['CLOCK', 'LOCALTIME'],
    isRare: true,
    doc: 'what the clock of the machine shows; localtime for OS=windows…, else utc',
    details: ['OS counts as Windows when it begins with windows, or is a short name such as win11, w2k or wxp.'],
  },
  {
    name: 'HPET',
    group: HARDWARE,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'High Precision Event Timer of q35 and pc; off saves Windows guests processor time',
  },
  {
    name: 'PIT',
    group: HARDWARE,
    type: 'choice',
    default: 'delay',
    values: PIT_VALUES,
    isRare: true,
    doc: 'ticks of the old timer that a guest under KVM missed: delay makes up for them, discard does not',
  },
  {
    name: 'S3',
    group: HARDWARE,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'whether guests on q35 and pc can sleep in memory (ACPI S3)',
  },
  {
    name: 'S4',
    group: HARDWARE,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'whether guests on q35 and pc can sleep on their disk (ACPI S4)',
  },
  {
    name: 'VMGENID',
    group: HARDWARE,
    type: 'vmgenid',
    default: 'off',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'VM Generation ID of x86, by which Windows finds out that it is a copy: on, off or a UUID',
    details: [
      'on: the ID is worked out from UUID, so that a machine that is copied with a UUID of its own has another one.',
    ],
  },
  {
    name: 'NUMA',
    family: true,
    group: HARDWARE,
    type: 'numa',
    default: '',
    example: '2G,cpus=0',
    max: 64,
    options: NUMA_OPTIONS,
    inDefaults: false,
    isRare: true,
    doc: 'NUMA node of the guest: its memory, then options; all nodes together have RAM and all processors',
  },
  {
    name: 'SMBIOS',
    family: true,
    group: HARDWARE,
    type: 'smbios',
    default: '',
    values: SMBIOS_TABLES,
    example: 'system,manufacturer=Example,product=Server',
    max: 16,
    options: SMBIOS_OPTIONS,
    isRare: true,
    doc: 'texts that the firmware shows: bios, system, baseboard, chassis, processor or oem, then options',
  },
  {
    name: 'WATCHDOG',
    group: HARDWARE,
    type: 'choice',
    default: 'off',
    values: WATCHDOG_VALUES,
    isRare: true,
    doc: 'i6300esb watchdog: what happens when the guest hangs',
  },
  {
    name: 'ONPANIC',
    group: HARDWARE,
    type: 'choice',
    default: 'none',
    values: PANIC_VALUES,
    isRare: true,
    doc: 'pvpanic device: what happens when the kernel of the guest panics',
  },

  {
    name: 'FIRMWARE',
    group: BOOT,
    type: 'firmware',
    default: 'bios',
    values: FIRMWARE_VALUES,
    options: FIRMWARE_OPTIONS,
    otherNames: ['BIOS', 'UEFI', 'EFI', 'LOADER'],
    doc: 'bios, uefi, uefi-secure, or the path of a firmware image (with a "/" or a "." in it)',
    details: [
      'An image that the firmware descriptors of the host name, and one with vars=, is flash with variables of the ' +
        "machine's own; any other is a plain BIOS image. Without vars= the variables are in the state folder, new ones as " +
        'qcow2, those of each firmware in a file of their own: with another FIRMWARE or TGTARCH the machine gets new ones, ' +
        'and the old stay there. A file of vars= has to exist, and belongs to the user that QEMU runs as.',
    ],
  },
  {
    name: 'TPM',
    group: BOOT,
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    notYet: 'swtpm is not started yet',
    isRare: true,
    doc: 'TPM 2.0 by swtpm',
  },
  {
    name: 'BOOT',
    group: BOOT,
    type: 'bootDevices',
    default: '',
    values: BOOT_VALUES,
    example: 'cdrom,disk',
    otherNames: ['BOOT_DEV', 'VM_BOOT_DEV'],
    doc: 'families to boot from, in order; disk,cdrom,network when not given; what is left out never boots',
  },
  {
    name: 'KERNEL',
    group: BOOT,
    type: 'path',
    default: '',
    example: 'vmlinuz',
    isRare: true,
    doc: 'Linux kernel to boot directly; INITRD and APPEND in defaults-qemu.cfg count for machines with one only',
  },
  {
    name: 'INITRD',
    group: BOOT,
    type: 'path',
    default: '',
    example: 'initrd.img',
    isRare: true,
    doc: 'its initial RAM disk',
  },
  {
    name: 'APPEND',
    group: BOOT,
    type: 'text',
    default: '',
    example: 'root=/dev/vda1 console=ttyS0',
    otherNames: ['CMDLINE'],
    isRare: true,
    doc: 'its command line',
  },

  {
    name: 'DSK',
    family: true,
    group: STORAGE,
    type: 'disk',
    default: '',
    example: 'disk.qcow2,format=qcow2',
    max: 64,
    options: DISK_OPTIONS,
    inDefaults: false,
    otherNames: ['DISK', 'DRIVE', 'HARDDISK', 'HD', 'HDA', 'DISK_IMG', 'IMAGE'],
    doc: 'disk: the image file or block device, then options; the bare form is just the file name',
    details: [FILE_NAME_DETAIL],
  },
  {
    name: 'CDR',
    family: true,
    group: STORAGE,
    type: 'cdrom',
    default: '',
    values: ['empty'],
    example: 'debian.iso',
    max: 48,
    options: CDROM_OPTIONS,
    inDefaults: false,
    otherNames: ['CDROM', 'CD', 'ISO', 'DVD', 'FIXED_ISO'],
    doc: 'CD-ROM drive: an ISO file, or empty for a drive without a disc',
    details: [FILE_NAME_DETAIL],
  },

  {
    name: 'NIC',
    family: true,
    group: NETWORK,
    type: 'nic',
    default: '',
    example: 'virtio-net-pci',
    max: 64,
    options: NIC_OPTIONS,
    otherNames: ['NET', 'NETWORK', 'NETDEV', 'ETH', 'INTERFACE', 'IFACE', 'PORT_FORWARDS'],
    doc: 'network card: the QEMU model, then options; the bare form is just the model',
    details: ['The model "virtio" is short for virtio-net-pci.'],
  },
  {
    name: 'BRIDGE_IFNAME',
    group: NETWORK,
    type: 'bridge',
    default: 'br0',
    otherNames: ['BRIDGE', 'BR', 'BRIDGE_IF'],
    doc: 'bridge of every NIC that names none',
  },
  {
    name: 'NETIF',
    group: NETWORK,
    type: 'choice',
    default: 'hook',
    values: NETIF_VALUES,
    doc: 'hook: QEMU calls qemu-brup and qemu-brdown for its taps; managed: qemu-init makes and removes them',
  },

  {
    name: 'VNC',
    group: CHANNELS,
    type: 'vnc',
    default: 'on',
    values: ['on', 'off', 'unix'],
    options: VNC_OPTIONS,
    otherNames: ['DISPLAY', 'VNC_LISTEN'],
    doc: 'on, off, unix, ADDRESS[:DISPLAY], :DISPLAY; then ,password=FILE',
    details: [
      'The address is 127.0.0.1 and the display number that of the slot unless said. An IPv6 address stands in ' +
        'brackets: [::1]:3. An address that others can reach needs a password.',
    ],
  },
  {
    name: 'VGA',
    group: CHANNELS,
    type: 'choice',
    default: 'std',
    values: VGA_VALUES,
    doc: 'graphics card',
  },
  {
    name: 'SPICE',
    group: CHANNELS,
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'SPICE server on a socket, with a channel for the agent that shares clipboard and size of the screen',
  },
  {
    name: 'KEYMAP',
    group: CHANNELS,
    type: 'keymap',
    default: '',
    values: KEYMAP_VALUES,
    example: 'de',
    otherNames: ['KEYBOARD', 'KEYBOARD_LAYOUT', 'LAYOUT'],
    isRare: true,
    doc: 'keyboard layout of VNC viewers that send characters instead of keys; en-us when not given',
    details: [`One of ${KEYMAP_VALUES.join(', ')}.`],
  },
  {
    name: 'SERIAL',
    group: CHANNELS,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'first serial port, for "qemu-init console", with a log from the first byte',
  },
  {
    name: 'QGA',
    group: CHANNELS,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    otherNames: ['AGENT', 'GUEST_AGENT'],
    isRare: true,
    doc: 'channel for the QEMU guest agent',
  },

  {
    name: 'RUNAS',
    group: RIGHTS,
    type: 'user',
    default: '',
    example: 'auto',
    otherNames: ['USER', 'VM_USER'],
    doc: 'user that QEMU runs as from its first instruction: auto is a user for this machine alone; default: the caller',
  },
  {
    name: 'SANDBOX',
    group: RIGHTS,
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    otherNames: ['SECCOMP'],
    doc: "QEMU's seccomp filter with all four denials",
  },

  {
    name: 'AUTOSTART',
    group: LIFE,
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    otherNames: ['ONBOOT'],
    doc: 'start when the host boots',
  },
  {
    name: 'BOOTORDER',
    group: LIFE,
    type: 'integer',
    default: '50',
    min: 0,
    max: 9999,
    otherNames: ['PRIORITY', 'STARTUP'],
    doc: 'lower numbers start first and stop last',
  },
  {
    name: 'BOOTDELAY',
    group: LIFE,
    type: 'integer',
    default: '0',
    min: 0,
    max: 86400,
    isRare: true,
    doc: 'seconds to wait before the start, at boot only',
  },
  {
    name: 'REQUIRES',
    group: LIFE,
    type: 'ids',
    default: '',
    example: 'db,router',
    otherNames: ['DEPENDS', 'AFTER', 'NEEDS'],
    doc: 'machines that must be up first, with commas or blanks between them',
  },
  {
    name: 'STOPDELAY',
    group: LIFE,
    type: 'integer',
    default: '60',
    min: 0,
    max: 86400,
    otherNames: ['TIMEOUT', 'SHUTDOWN_TIMEOUT', 'KILL_WAIT', 'VM_KILL_WAIT'],
    doc: 'seconds that the guest has to go down by itself',
  },
  {
    name: 'STOPMETHOD',
    group: LIFE,
    type: 'choice',
    default: 'auto',
    values: STOP_METHODS,
    isRare: true,
    doc: 'acpi: power button; agent: guest agent; auto: both, when an agent answers',
  },
  {
    name: 'PRECMD',
    group: LIFE,
    type: 'command',
    default: '',
    example: '/usr/local/sbin/prepare-web --fast',
    isRare: true,
    doc: 'run before the start; when it fails, the machine is not started',
    details: [COMMAND_DETAIL],
  },
  {
    name: 'POSTCMD',
    group: LIFE,
    type: 'command',
    default: '',
    example: '/usr/local/sbin/web-is-up',
    isRare: true,
    doc: 'run when the machine is up',
    details: [COMMAND_DETAIL],
  },
  {
    name: 'PRESTOP',
    group: LIFE,
    type: 'command',
    default: '',
    example: '/usr/local/sbin/drain-web',
    isRare: true,
    doc: 'run before the machine is stopped',
    details: [COMMAND_DETAIL],
  },
  {
    name: 'POSTSTOP',
    group: LIFE,
    type: 'command',
    default: '',
    example: '/usr/local/sbin/web-is-down',
    isRare: true,
    doc: 'run when the machine is down, also after a start that failed',
    details: [COMMAND_DETAIL],
  },
  {
    name: 'RESTART',
    group: LIFE,
    type: 'choice',
    default: 'no',
    values: RESTART_VALUES,
    doc: 'whether the service manager starts it again when it ends by itself',
  },

  {
    name: 'SHARE',
    family: true,
    group: HOST_DEVICES,
    type: 'raw',
    default: '',
    example: '/srv/data,tag=data',
    max: 8,
    notYet: 'folders are not shared yet',
    isRare: true,
    doc: 'folder of the host for the guest, by 9p or virtiofs',
  },
  {
    name: 'USBHOST',
    stem: 'USB',
    family: true,
    group: HOST_DEVICES,
    type: 'raw',
    default: '',
    example: '046d:c52b',
    max: 8,
    inDefaults: false,
    notYet: 'USB devices are not passed through yet',
    isRare: true,
    doc: 'USB device of the host for the guest',
  },
  {
    name: 'PCI',
    family: true,
    group: HOST_DEVICES,
    type: 'raw',
    default: '',
    example: '0000:03:00.0',
    max: 8,
    inDefaults: false,
    notYet: 'PCI devices are not passed through yet',
    isRare: true,
    doc: 'PCI device of the host for the guest',
  },
] as const satisfies readonly KeySpec[];

/** Name of a key, or stem of a family, of a machine's file. */
export type KeyName = (typeof TABLE)[number]['name'];

/** The keys of `<name>-qemu.cfg` and `defaults-qemu.cfg`, in the order of the template. */
export const KEYS: readonly (KeySpec & { readonly name: KeyName })[] = TABLE;

const MONITOR_TABLE = [
  {
    name: 'MONPORT',
    group: 'Monitors',
    type: 'integer',
    default: '30320',
    min: 1,
    max: 65335,
    doc: 'first monitor port; slot n has MONPORT+n, and 100 more for its control port',
    details: ['From slot 100 on each further hundred of machines is 200 ports higher.'],
  },
  {
    name: 'MONITOR',
    group: 'Monitors',
    type: 'choice',
    default: 'tcp',
    values: MONITOR_VALUES,
    doc: 'tcp: monitor and control ports on 127.0.0.1 and ::1; off: only the socket that qemu-init itself uses',
  },
  {
    name: 'TLS',
    group: 'Monitors',
    type: 'choice',
    default: 'psk',
    values: TLS_VALUES,
    doc: "psk: both ports need the machine's key; off: every user and web page on this host can drive the monitors",
  },
  {
    name: 'VNCDISPLAY',
    group: 'VNC',
    type: 'integer',
    default: '0',
    min: 0,
    max: 59635,
    doc: 'first VNC display; slot n has VNCDISPLAY+n, which is TCP port 5900 more',
  },
] as const satisfies readonly KeySpec[];

export type MonitorKeyName = (typeof MONITOR_TABLE)[number]['name'];

/** The keys of `monitor.conf`. */
export const MONITOR_KEYS: readonly (KeySpec & { readonly name: MonitorKeyName })[] = MONITOR_TABLE;

/** Section of a machine's file that holds raw QEMU options. */
export const CUSTOM_SECTION = 'custom';

const BY_NAME = new Map<string, KeySpec & { readonly name: KeyName }>(KEYS.map((spec) => [spec.name, spec]));
const FAMILIES = new Map<string, KeySpec & { readonly name: KeyName }>(
  KEYS.filter(({ family }) => family).map((spec) => [stemOf(spec), spec]),
);

/** The key as it is written, of a family without its number. */
export function stemOf({ name, stem }: KeySpec): string {
  return stem ?? name;
}

/** The key as it is written, of a family its first member. */
export function firstKey(spec: KeySpec): string {
  return spec.family ? `${stemOf(spec)}1` : spec.name;
}

/** How the key is written in documents: `RAM`, `DSKx`. */
export function keyPattern(spec: KeySpec): string {
  return spec.family ? `${stemOf(spec)}x` : spec.name;
}

/** The table's line of a key as written: `DSK12` is of the family DSK. */
export function findKey(key: string): (KeySpec & { readonly name: KeyName }) | undefined {
  const spec = BY_NAME.get(key);
  if (spec !== undefined && !spec.family) return spec;
  return FAMILIES.get(/^([A-Z]+)\d+$/.exec(key)?.[1] ?? '');
}

/** The table's line of that name or stem. */
export function keySpec(name: KeyName): KeySpec {
  const spec = BY_NAME.get(name);
  if (spec === undefined) throw new TypeError(`No key ${name}`);
  return spec;
}
