import type {
  CdromConfig,
  DiskConfig,
  NicConfig,
  PciHostConfig,
  ShareConfig,
  SoundConfig,
  UsbHostConfig,
  VncConfig,
} from './device-config.ts';

/** Where a value comes from. */
export interface Origin {
  /** Absolute path of the file. */
  readonly file: string;
  /** Line in it, from 1. */
  readonly line: number;
}

/** `RTC=`: the clock of the machine. */
export interface RtcConfig {
  readonly base: 'utc' | 'localtime';
  /** What happens to ticks that the guest missed. */
  readonly driftFix: 'none' | 'slew';
}

/** `BACKUP=`: where the machine is backed up to, and how. */
export interface BackupConfig {
  /** Absolute. */
  readonly dest: string;
  /** Undefined: all. */
  readonly keep: number | undefined;
  /** A second; undefined: as fast as possible. */
  readonly rateBytes: number | undefined;
  readonly compress: boolean;
}

/** Processors by their numbers, from 0. */
export interface CpuRange {
  readonly first: number;
  readonly last: number;
}

/** One `NUMAx`. */
export interface NumaNode {
  readonly index: number;
  readonly memoryBytes: number;
  readonly cpus: readonly CpuRange[];
  /** Nodes of the host such as `0-1`; undefined: any. */
  readonly hostNodes: string | undefined;
  readonly policy: 'bind' | 'interleave' | 'preferred';
}

/** One `SMBIOSx`. */
export interface SmbiosTable {
  readonly index: number;
  readonly table: 'bios' | 'system' | 'baseboard' | 'chassis' | 'processor' | 'oem';
  /** Names of the key's options, and texts. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** `ONSHUTDOWN=`: what happens to the guest when the host shuts down. */
export type ShutdownPolicy = 'shutdown' | 'save';

/** `RESTART=`: when a machine that has ended by itself is started again. */
export type RestartPolicy = 'no' | 'on-failure' | 'always';
/** `STOPMETHOD=`: who asks the guest to go down. */
export type StopMethod = 'auto' | 'acpi' | 'agent';
/** What `BOOT=` may name. */
export type BootDevice = 'disk' | 'cdrom' | 'network';

/** `LIMIT_CPU=`, `LIMIT_MEMORY=`, `LIMIT_IO=`, `CPUSET=`. */
export interface ResourceLimits {
  /** Of one processor. */
  readonly cpuPercent: number | undefined;
  readonly memoryBytes: number | undefined;
  /** Bytes a second in each direction. */
  readonly ioBytes: number | undefined;
  /** Processors of the host such as `0-3,8`. */
  readonly cpuSet: string | undefined;
}

/** One configured machine: its file with the host's defaults below it. Paths are absolute. */
export interface MachineConfig {
  /** Stem of the file: `web` of `web-qemu.cfg`. */
  readonly longName: string;
  /** The file itself. */
  readonly path: string;
  /** Folder that relative paths start from. */
  readonly dir: string;

  readonly name: string;
  readonly os: string;
  readonly description: string;
  /** QEMU program, name or path. */
  readonly targetArch: string;
  readonly machine: string;
  /** Undefined: `host` under KVM, `max` under TCG. */
  readonly cpu: string | undefined;
  /** As for `-smp`. */
  readonly smp: string;
  /** Bytes. */
  readonly memoryBytes: number;
  /** Processors that there is room for; undefined: none but those of `smp`. */
  readonly maxSmp?: number | undefined;
  /** Bytes that there is room for; undefined: none but `memoryBytes`. */
  readonly maxMemoryBytes?: number | undefined;
  /** Memory is in huge pages of this size, `on` in those of the host's default size; undefined: it is not. */
  readonly hugePages?: 'on' | '2M' | '1G' | undefined;
  readonly kvm: 'on' | 'off' | 'auto';
  readonly uuid: string;
  /** `bios`, `uefi`, `uefi-secure` or an absolute path. */
  readonly firmware: string;
  /** Absolute path of the variables that the machine's own begin with. */
  readonly firmwareVariables?: string | undefined;
  readonly tpm: boolean;
  readonly kernel: string | undefined;
  readonly initrd: string | undefined;
  readonly append: string;
  /** Undefined: the order of definition. */
  readonly boot: readonly BootDevice[] | undefined;

  readonly disks: readonly DiskConfig[];
  readonly cdroms: readonly CdromConfig[];
  /** Absolute path of the folder with the data for cloud-init. */
  readonly cloudInit: string | undefined;
  /** Undefined: no backup by itself. */
  readonly backup: BackupConfig | undefined;
  readonly nics: readonly NicConfig[];
  /** Bridge of every NIC that names none. */
  readonly bridge: string;
  readonly netif: 'hook' | 'managed';

  readonly vnc: VncConfig;
  /** `none` or a QEMU VGA name such as `std`. */
  readonly vga: string;
  readonly serial: boolean;
  readonly agent: boolean;
  readonly rng: boolean;
  readonly balloon: boolean;
  /** A USB controller with a tablet and a keyboard. */
  readonly usbInput: boolean;
  /** Undefined: no sound card. */
  readonly sound: SoundConfig | undefined;
  readonly rtc: RtcConfig;
  readonly hpet: boolean;
  /** What happens to ticks of the PIT that the guest missed, under KVM. */
  readonly pit: 'delay' | 'discard';
  /** Whether the guest can sleep in memory, and on its disk. */
  readonly s3: boolean;
  readonly s4: boolean;
  /** `on`: derived from the UUID; or a UUID; undefined: no such device. */
  readonly vmGenerationId: string | undefined;
  /** Empty: one node, as QEMU makes it. */
  readonly numa: readonly NumaNode[];
  readonly smbios: readonly SmbiosTable[];
  /** A SPICE server on a socket. */
  readonly spice: boolean;
  /** Name of a keyboard layout of QEMU; undefined: QEMU's default. */
  readonly keymap: string | undefined;
  /** PCIe root ports that are kept free. */
  readonly hotplug: number;

  /** User name; undefined: the user who calls. */
  readonly runAs: string | undefined;
  /** RUNAS=auto: `runAs` is the machine's own user, which there may not be yet. */
  readonly ownUser: boolean;
  readonly sandbox: boolean;
  /** What the machine's unit may use; undefined: no limits. */
  readonly limits?: ResourceLimits | undefined;

  readonly autostart: boolean;
  readonly bootOrder: number;
  readonly bootDelaySeconds: number;
  /** Ids of machines that must be up first. */
  readonly requires: readonly string[];
  readonly stopDelaySeconds: number;
  readonly stopMethod: StopMethod;
  /** Program and arguments; empty: none. */
  readonly preCommand: readonly string[];
  readonly postCommand: readonly string[];
  readonly preStop: readonly string[];
  readonly postStop: readonly string[];
  /** What a shutdown of the host does with the guest. */
  readonly onShutdown: ShutdownPolicy;
  readonly restart: RestartPolicy;
  /** i6300esb action, `off` for none. */
  readonly watchdog: string;
  /** pvpanic action, `none` for no device. */
  readonly onPanic: string;
  readonly shares: readonly ShareConfig[];
  readonly usb: readonly UsbHostConfig[];
  readonly pci: readonly PciHostConfig[];

  /** Lines of `[custom]`, each one argument list, appended last. */
  readonly custom: readonly CustomLine[];

  /** Key as written (`DSK1`, `RAM`) to where it is set. Keys that are absent have their default. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** One line of the `[custom]` section, split into arguments as a shell splits words. */
export interface CustomLine {
  readonly args: readonly string[];
  readonly origin: Origin;
}
