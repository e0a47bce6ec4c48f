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
  /** Not permitted in defaults-qemu.cfg. */
  readonly inDefaults?: false;
}

/** One key, or one family of keys numbered from 1. Parser, template, man page and completion come from this alone. */
export interface KeySpec {
  /** `RAM`; of a family its stem: `DSK`. */
  readonly name: string;
  /** Numbered: DSK1, DSK2 … */
  readonly family?: true;
  /** What is written before the number, if another key has that name. */
  readonly stem?: string;
  /** Heading in the template and the man page. */
  readonly group: string;
  readonly type: KeyType;
  /** As it would be written; empty: none, or derived. */
  readonly default: string;
  /** Allowed words; for a type that also takes other text, its special words. */
  readonly values?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** One line. */
  readonly doc: string;
  /** Further paragraphs. */
  readonly details?: readonly string[];
  /** What the template shows if there is no default. */
  readonly example?: string;
  /** Options of a comma list. */
  readonly options?: readonly OptionSpec[];
  /** Words that other programs use for it; for hints only. */
  readonly otherNames?: readonly string[];
  /** Not permitted in defaults-qemu.cfg: it can only be right for one machine. */
  readonly inDefaults?: false;
  /** Few machines need it: the template lists it after all others. */
  readonly isRare?: true;
  /** What is missing, as a clause: the key is read and checked, but using it is an error in this version. */
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
/** Backends of `-audiodev` (qemu-system(1)) that need no further options. */
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

/** Image formats that QEMU can write, then those that it can only read. */
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
    doc: 'image format; default: detected at the first start, after which it must not change',
  },
  { name: 'if', type: 'choice', default: 'virtio', values: DISK_INTERFACES, doc: 'controller that the guest sees' },
  {
    name: 'cache',
    type: 'choice',
    default: '',
    values: ['writeback', 'none', 'writethrough', 'directsync', 'unsafe'],
    doc: "how the host's page cache is used; default: QEMU's own",
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
    doc: 'unmap: blocks that the guest frees are also freed in the image',
  },
  {
    name: 'detect-zeroes',
    type: 'choice',
    default: '',
    values: ['off', 'on', 'unmap'],
    doc: 'on: zeroes are written without data; unmap: they are freed, which needs discard=unmap',
  },
  { name: 'readonly', type: 'switch', default: 'off', values: SWITCH_VALUES, doc: 'the guest cannot write' },
  {
    name: 'snapshot',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: what the guest writes is discarded when it stops',
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
    doc: 'on: the guest sees a solid-state disk (ide, sata, scsi)',
  },
  {
    name: 'iothread',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    doc: 'on: a separate QEMU thread for this disk (virtio)',
  },
  {
    name: 'queues',
    type: 'integer',
    default: '',
    min: 1,
    max: 256,
    doc: 'number of queues (virtio); default: one per processor',
  },
  {
    name: 'bootindex',
    type: 'integer',
    default: '',
    min: 0,
    max: 9999,
    inDefaults: false,
    doc: 'place in the boot order, lowest first, before everything in BOOT',
  },
  {
    name: 'key',
    type: 'text',
    default: '',
    doc: 'file with the key of a LUKS or encrypted qcow2 image; every byte counts',
  },
  {
    name: 'backing',
    type: 'text',
    default: '',
    repeated: true,
    doc: 'what the image header may refer to: a file, or a name as written there, such as nbd://10.0.0.1/base',
  },
] as const satisfies readonly OptionSpec[];

const CDROM_OPTIONS = [
  {
    name: 'optional',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    bare: true,
    doc: 'on, or just the word: if the file is missing, the drive is empty, with a warning',
  },
  {
    name: 'bootindex',
    type: 'integer',
    default: '',
    min: 0,
    max: 9999,
    inDefaults: false,
    doc: 'place in the boot order, lowest first, before everything in BOOT',
  },
] as const satisfies readonly OptionSpec[];

const NIC_OPTIONS = [
  { name: 'bridge', type: 'text', default: '', doc: 'bridge that the tap joins; default: BRIDGE_IFNAME' },
  {
    name: 'mac',
    type: 'text',
    default: '',
    inDefaults: false,
    doc: 'address of the NIC, xx:xx:xx:xx:xx:xx; default: derived from NAME, OS and the number',
  },
  {
    name: 'net',
    type: 'choice',
    default: 'bridge',
    values: NET_BACKENDS,
    doc: "bridge: a tap on a bridge; user: QEMU's own NAT; passt: NAT by passt(1); none: not connected",
  },
  {
    name: 'hostfwd',
    type: 'text',
    default: '',
    repeated: true,
    doc: 'tcp or udp:HOST-ADDRESS:PORT-GUEST-ADDRESS:PORT for net=user and passt; an empty address means any',
  },
  {
    name: 'vlan',
    type: 'integer',
    default: '',
    min: 1,
    max: 4094,
    doc: 'VLAN of the bridge port',
  },
  { name: 'queues', type: 'integer', default: '', min: 1, max: 256, doc: 'number of queue pairs' },
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
    doc: 'on: the NIC can send only from its own MAC and, with ip=, from those addresses',
  },
  {
    name: 'ip',
    type: 'text',
    default: '',
    repeated: true,
    inDefaults: false,
    doc: 'address, plain or CIDR, that lock=on permits',
  },
  {
    name: 'bootindex',
    type: 'integer',
    default: '',
    min: 0,
    max: 9999,
    inDefaults: false,
    doc: 'place in the boot order, lowest first, before everything in BOOT',
  },
] as const satisfies readonly OptionSpec[];

const RTC_OPTIONS = [
  {
    name: 'driftfix',
    type: 'choice',
    default: 'none',
    values: DRIFTFIX_VALUES,
    doc: 'slew: make up for ticks that the guest missed, which old Windows needs to keep time',
  },
] as const satisfies readonly OptionSpec[];

const SOUND_OPTIONS = [
  {
    name: 'backend',
    type: 'choice',
    default: 'none',
    values: AUDIO_BACKENDS,
    doc: 'where the host plays sound; none: only VNC and SPICE viewers get it',
  },
] as const satisfies readonly OptionSpec[];

const NUMA_OPTIONS = [
  { name: 'cpus', type: 'text', default: '', repeated: true, doc: 'processors of the node: a number from 0, or 0-3' },
  { name: 'hostnodes', type: 'text', default: '', doc: 'host nodes that the memory comes from: 0, or 0-1' },
  {
    name: 'policy',
    type: 'choice',
    default: 'bind',
    values: NUMA_POLICIES,
    doc: 'how strictly the memory comes from hostnodes',
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
    doc: "file with the machine's variables, instead of one in the state folder; the guest writes to it",
  },
] as const satisfies readonly OptionSpec[];

const VNC_OPTIONS = [
  {
    name: 'password',
    type: 'text',
    default: '',
    doc: 'file with the password (at most 8 characters) in its first line, not readable by other users',
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
  'One program with arguments, split into words as in a shell but run without one: nothing is expanded.';

const FILE_NAME_DETAIL =
  'The file name ends at the first ",option="; other commas belong to it (my,disk.img). If a comma is followed by ' +
  'a word and "=", or only by the name of an option, write it twice: "a,,b=c.img" is the file "a,b=c.img". ' +
  'Relative names are relative to the folder of the cfg file.';

const TABLE = [
  {
    name: 'NAME',
    group: IDENTITY,
    type: 'name',
    default: '',
    example: 'web',
    inDefaults: false,
    otherNames: ['HOSTNAME', 'VM_NAME', 'VMNAME'],
    doc: 'name of the guest; default: the long name of the machine (its file name without -qemu.cfg)',
  },
  {
    name: 'OS',
    group: IDENTITY,
    type: 'text',
    default: '',
    example: 'debian',
    doc: 'label of the operating system; MAC addresses are derived from it, NAME and the number of the NIC',
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
    doc: 'UUID of the guest; default: derived from NAME (RFC 4122, version 5)',
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
    doc: 'machine type as for -machine; a versioned one such as pc-q35-7.2 does not change with QEMU upgrades',
    details: [
      'If TGTARCH has no q35, the default is the board of that target: virt (aarch64, arm, riscv64, loongarch64 …), ' +
        's390-ccw-virtio, pseries (ppc64).',
    ],
  },
  {
    name: 'CPU',
    group: HARDWARE,
    type: 'cpu',
    default: 'auto',
    values: ['auto', 'host', 'max'],
    doc: 'processor model as for -cpu; auto: host with KVM, otherwise max if the target has it',
    details: [
      'On x86, x86-64-v2, x86-64-v2-AES, x86-64-v3 and x86-64-v4 have exactly the features of those levels, so a ' +
        'machine can migrate between hosts of different makes. Features can be added: x86-64-v3,+pcid.',
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
    doc: 'memory, 1M to 16T: a bare number is MiB; K, M, G and T are powers of 1024 (2GB is 2G)',
  },
  {
    name: 'KVM',
    group: HARDWARE,
    type: 'choice',
    default: 'auto',
    values: KVM_VALUES,
    otherNames: ['ACCEL', 'ENABLE_KVM'],
    isRare: true,
    doc: "on, off, or auto: KVM if it works on this host, otherwise QEMU's emulation, with a notice",
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
    doc: 'PCIe root ports kept free for hot-plugged devices, on q35 and virt',
    details: [
      'They are in PCI slots 0x1c to 0x1e, eight per slot; changing their number moves no other device. The ' +
        'default ports leave out a slot that a device in [custom] uses. The machine type pc has no such ports: devices are ' +
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
    doc: 'USB 3 controller with a tablet and a keyboard, so that viewer and guest pointers stay together',
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
    doc: 'sound card; on means hda',
    details: [
      'Backends other than none and spice open devices or sockets of the host as the user that QEMU runs as. ' +
        'The system units do not permit that: use these backends for machines of a user who works at the host.',
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
    doc: 'what the clock of the machine shows; default: localtime for OS=windows…, otherwise utc',
    details: ['OS counts as Windows if it begins with windows or is a short name such as win11, w2k or wxp.'],
  },
  {
    name: 'HPET',
    group: HARDWARE,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'High Precision Event Timer of q35 and pc; off saves processor time with Windows guests',
  },
  {
    name: 'PIT',
    group: HARDWARE,
    type: 'choice',
    default: 'delay',
    values: PIT_VALUES,
    isRare: true,
    doc: 'ticks of the legacy timer that a guest missed under KVM: delay makes up for them, discard drops them',
  },
  {
    name: 'S3',
    group: HARDWARE,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'whether guests on q35 and pc can suspend to memory (ACPI S3)',
  },
  {
    name: 'S4',
    group: HARDWARE,
    type: 'switch',
    default: 'on',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'whether guests on q35 and pc can suspend to disk (ACPI S4)',
  },
  {
    name: 'VMGENID',
    group: HARDWARE,
    type: 'vmgenid',
    default: 'off',
    values: SWITCH_VALUES,
    isRare: true,
    doc: 'VM Generation ID (x86), which lets Windows notice that it is a copy: on, off or a UUID',
    details: ['on: the ID is derived from UUID, so a copy with a different UUID has a different ID.'],
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
    doc: 'NUMA node of the guest: its memory, then options; the nodes must add up to RAM and all processors',
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
    doc: 'texts in the firmware tables: bios, system, baseboard, chassis, processor or oem, then options',
  },
  {
    name: 'WATCHDOG',
    group: HARDWARE,
    type: 'choice',
    default: 'off',
    values: WATCHDOG_VALUES,
    isRare: true,
    doc: 'i6300esb watchdog: what to do when the guest hangs',
  },
  {
    name: 'ONPANIC',
    group: HARDWARE,
    type: 'choice',
    default: 'none',
    values: PANIC_VALUES,
    isRare: true,
    doc: 'pvpanic device: what to do when the guest kernel panics',
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
      'An image named by a firmware descriptor of the host, or used with vars=, is flash memory with variables for ' +
        'this machine; any other image is a plain BIOS image. Without vars= the variables are in the state folder, ' +
        'new ones as qcow2, in a separate file for each firmware: with another FIRMWARE or TGTARCH the machine gets new variables, ' +
        'and the old file stays. The file of vars= must exist and belong to the user that QEMU runs as.',
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
    doc: 'TPM 2.0, emulated by swtpm',
  },
  {
    name: 'BOOT',
    group: BOOT,
    type: 'bootDevices',
    default: '',
    values: BOOT_VALUES,
    example: 'cdrom,disk',
    otherNames: ['BOOT_DEV', 'VM_BOOT_DEV'],
    doc: 'what to boot from, in order; default: disk,cdrom,network; what is left out is never booted',
  },
  {
    name: 'KERNEL',
    group: BOOT,
    type: 'path',
    default: '',
    example: 'vmlinuz',
    isRare: true,
    doc: 'Linux kernel to boot directly; INITRD and APPEND in defaults-qemu.cfg apply only to machines with a KERNEL',
  },
  {
    name: 'INITRD',
    group: BOOT,
    type: 'path',
    default: '',
    example: 'initrd.img',
    isRare: true,
    doc: 'initial RAM disk of KERNEL',
  },
  {
    name: 'APPEND',
    group: BOOT,
    type: 'text',
    default: '',
    example: 'root=/dev/vda1 console=ttyS0',
    otherNames: ['CMDLINE'],
    isRare: true,
    doc: 'command line of KERNEL',
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
    details: ['The model "virtio" means virtio-net-pci.'],
  },
  {
    name: 'BRIDGE_IFNAME',
    group: NETWORK,
    type: 'bridge',
    default: 'br0',
    otherNames: ['BRIDGE', 'BR', 'BRIDGE_IF'],
    doc: 'bridge of every NIC without bridge=',
  },
  {
    name: 'NETIF',
    group: NETWORK,
    type: 'choice',
    default: 'hook',
    values: NETIF_VALUES,
    doc: 'hook: QEMU calls qemu-brup and qemu-brdown for its taps; managed: qemu-init creates and removes them',
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
      'Default: address 127.0.0.1 and the display number of the slot. Write an IPv6 address in ' +
        'brackets: [::1]:3. An address that other hosts can reach needs a password.',
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
    doc: 'SPICE server on a socket, with a channel for the agent that shares clipboard and screen size',
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
    doc: 'keyboard layout for VNC viewers that send characters instead of keys; default: en-us',
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
    doc: 'user that QEMU runs as from its first instruction; auto: one for this machine only; default: the caller',
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
    doc: 'machines that must be up first, separated by commas or blanks',
  },
  {
    name: 'STOPDELAY',
    group: LIFE,
    type: 'integer',
    default: '60',
    min: 0,
    max: 86400,
    otherNames: ['TIMEOUT', 'SHUTDOWN_TIMEOUT', 'KILL_WAIT', 'VM_KILL_WAIT'],
    doc: 'seconds that the guest has to shut down',
  },
  {
    name: 'STOPMETHOD',
    group: LIFE,
    type: 'choice',
    default: 'auto',
    values: STOP_METHODS,
    isRare: true,
    doc: 'acpi: power button; agent: guest agent; auto: both if an agent answers',
  },
  {
    name: 'PRECMD',
    group: LIFE,
    type: 'command',
    default: '',
    example: '/usr/local/sbin/prepare-web --fast',
    isRare: true,
    doc: 'run before the start; if it fails, the machine is not started',
    details: [COMMAND_DETAIL],
  },
  {
    name: 'POSTCMD',
    group: LIFE,
    type: 'command',
    default: '',
    example: '/usr/local/sbin/web-is-up',
    isRare: true,
    doc: 'run after the machine has started',
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
    doc: 'run after the machine has stopped, and after a failed start',
    details: [COMMAND_DETAIL],
  },
  {
    name: 'RESTART',
    group: LIFE,
    type: 'choice',
    default: 'no',
    values: RESTART_VALUES,
    doc: 'whether the service manager restarts the machine when it exits by itself',
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
    doc: 'host folder shared with the guest, by 9p or virtiofs',
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
    doc: 'host USB device passed through to the guest',
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
    doc: 'host PCI device passed through to the guest',
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
    details: ['From slot 100 on, each further hundred slots is 200 ports higher.'],
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
    doc: "psk: both ports need the machine's key; off: any user and web page on this host can control the monitors",
  },
  {
    name: 'VNCDISPLAY',
    group: 'VNC',
    type: 'integer',
    default: '0',
    min: 0,
    max: 59635,
    doc: 'first VNC display; slot n has VNCDISPLAY+n, on TCP port 5900 plus that number',
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

/** The key as written; for a family without its number. */
export function stemOf({ name, stem }: KeySpec): string {
  return stem ?? name;
}

/** The key as written; for a family its first member. */
export function firstKey(spec: KeySpec): string {
  return spec.family ? `${stemOf(spec)}1` : spec.name;
}

/** How the key is written in documents: `RAM`, `DSKx`. */
export function keyPattern(spec: KeySpec): string {
  return spec.family ? `${stemOf(spec)}x` : spec.name;
}

/** The table entry of a key as written: `DSK12` belongs to the family DSK. */
export function findKey(key: string): (KeySpec & { readonly name: KeyName }) | undefined {
  const spec = BY_NAME.get(key);
  if (spec !== undefined && !spec.family) return spec;
  return FAMILIES.get(/^([A-Z]+)\d+$/.exec(key)?.[1] ?? '');
}

/** The table entry of that name or stem. */
export function keySpec(name: KeyName): KeySpec {
  const spec = BY_NAME.get(name);
  if (spec === undefined) throw new TypeError(`No key ${name}`);
  return spec;
}
