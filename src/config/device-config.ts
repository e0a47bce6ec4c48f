/** `if=` of `DSKx=`: the bus on which the guest sees the disk. */
export type DiskInterface = 'virtio' | 'ide' | 'sata' | 'scsi' | 'nvme';

/** One `DSKx`. */
export interface DiskConfig {
  /** x, from 1. */
  readonly index: number;
  /** Absolute path of the image. */
  readonly file: string;
  /** Declared format; undefined means: find it out before start. */
  readonly format: string | undefined;
  readonly interface: DiskInterface;
  readonly cache: string | undefined;
  readonly aio: string | undefined;
  readonly discard: string | undefined;
  readonly readonly: boolean;
  /** Throw away what the guest writes (QEMU `snapshot=on`). */
  readonly snapshot: boolean;
  readonly serial: string | undefined;
  /** `off`, `on` or `unmap`; undefined: QEMU's default. */
  readonly detectZeroes?: string | undefined;
  /** The guest sees a disk that does not rotate. */
  readonly ssd?: boolean | undefined;
  /** A thread of QEMU for this disk alone. */
  readonly ioThread?: boolean | undefined;
  /** Queues of a virtio disk; undefined: QEMU's default. */
  readonly queues?: number | undefined;
  /** Most bytes a second; undefined: no limit. */
  readonly rate?: number | undefined;
  /** Place in the boot order before all that BOOT orders. */
  readonly bootIndex?: number | undefined;
  /** Absolute path of the file with the key of an encrypted image. */
  readonly key: string | undefined;
  /** Names, not of files, that headers of the image and of what it rests on may mention. */
  readonly backing: readonly string[];
}

/** One `CDRx`. */
export interface CdromConfig {
  readonly index: number;
  /** Absolute path of the ISO file; undefined is a drive without a disc. */
  readonly file: string | undefined;
  /** When the file is missing the drive is empty. */
  readonly optional: boolean;
  /** Place in the boot order before all that BOOT orders. */
  readonly bootIndex?: number | undefined;
}

/** One `hostfwd=tcp:127.0.0.1:2222-:22`. */
export interface HostForward {
  readonly protocol: 'tcp' | 'udp';
  /** Empty means every address of the host. */
  readonly hostAddress: string;
  readonly hostPort: number;
  /** Empty means the guest's first address. */
  readonly guestAddress: string;
  readonly guestPort: number;
}

/** One `SHAREx`. */
export interface ShareConfig {
  readonly index: number;
  /** Folder of the host; absolute. */
  readonly path: string;
  /** By which the guest mounts it. */
  readonly tag: string;
  readonly readonly: boolean;
  readonly driver: 'virtiofs' | '9p';
}

/** `net=` of `NICx=`: what the NIC is connected to. */
export type NetBackend = 'bridge' | 'user' | 'passt' | 'none';

/** One `NICx`. */
export interface NicConfig {
  readonly index: number;
  /** QEMU device model such as `virtio-net-pci`. */
  readonly model: string;
  readonly net: NetBackend;
  /** Bridge that the tap joins, for `net=bridge`; else empty. */
  readonly bridge: string;
  /** The NIC names the bridge itself; else it is that of BRIDGE_IFNAME. */
  readonly hasOwnBridge?: boolean | undefined;
  /** `mac=` in lower or upper case as written; undefined means: derive and lease. */
  readonly mac: string | undefined;
  readonly hostForwards: readonly HostForward[];
  readonly vlan: number | undefined;
  readonly queues: number | undefined;
  readonly mtu: number | undefined;
  readonly isolated: boolean;
  /** Only the NIC's own MAC and address may leave it. */
  readonly lock: boolean;
  /** Most bytes a second in each direction; undefined: no limit. */
  readonly rate?: number | undefined;
  /** `ip=` addresses that `lock=on` lets through in addition to the MAC; CIDR or plain. */
  readonly addresses: readonly string[];
  /** Place in the boot order before all that BOOT orders. */
  readonly bootIndex?: number | undefined;
}

/** `VNC=`. */
export type VncConfig =
  | { readonly kind: 'off' }
  | { readonly kind: 'unix'; readonly passwordFile: string | undefined }
  | {
      readonly kind: 'tcp';
      /** Address without brackets. */
      readonly host: string;
      /** Fixed display number; undefined means: from the slot. */
      readonly display: number | undefined;
      /** Absolute path of a file that holds the password. */
      readonly passwordFile: string | undefined;
    };

/** `SOUND=`. */
export interface SoundConfig {
  readonly card: 'hda' | 'ac97' | 'es1370' | 'usb' | 'virtio';
  /** Driver of `-audiodev`. */
  readonly backend: string;
}

/** One `USBx`. */
export interface UsbHostConfig {
  readonly index: number;
  /** What it is, `046d:c52b`, or where it is, `1-2.3`. */
  readonly device: string;
  /** The machine also starts without it. */
  readonly optional: boolean;
}

/** One `PCIx`. */
export interface PciHostConfig {
  readonly index: number;
  /** `0000:03:00.0`. */
  readonly address: string;
}
