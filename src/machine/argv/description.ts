import type { NetdevAddArguments } from '../../qmp/generated/qemu-7.2.ts';

/**
 * A value of QEMU's. A boolean is `on` or `off` on a command line; what QEMU has as an enumeration (`write-cache`) is
 * text.
 */
export type PropertyValue = string | number | boolean;

/** Properties in the order in which they are on the command line; those that are undefined are left out. */
export type Properties = Readonly<Record<string, PropertyValue | undefined>>;

/** Where a device is plugged in. Empty: where QEMU puts it. */
export interface Place {
  readonly bus?: string | undefined;
  /** Place on a PCI bus: `0x8`, `0x8.1`. */
  readonly addr?: string | undefined;
  /** Further functions of its PCI slot are in use. */
  readonly multifunction?: boolean | undefined;
}

/** Members common to all parts of a machine. */
interface OfKey {
  /** Key of the cfg file such as `RAM` or `DSK1`; empty for what qemu-init itself needs. */
  readonly key: string;
}

/** A device: `-device`, `device_add`. */
export interface Device extends OfKey, Place {
  readonly kind: 'device';
  readonly driver: string;
  readonly id?: string | undefined;
  /** The disk or disc in it. */
  readonly drive?: Drive | undefined;
  readonly properties: Properties;
}

/** An image as QEMU opens it, with the images that it rests on if QEMU needs to be given their formats. */
export interface ImageNode {
  /** Absolute path. */
  readonly file: string;
  readonly format: string;
  /** A block device of the host. */
  readonly isDevice?: boolean | undefined;
  /** Neither the cfg nor the header of the image above it names the format. */
  readonly isGuessed?: boolean | undefined;
  /** Id of the object with its key, for an encrypted image. */
  readonly secret?: string | undefined;
  readonly backing?: ImageNode | undefined;
}

/** A disk or disc and how it is opened: `-drive`, `blockdev-add`. */
export interface Drive extends OfKey {
  readonly kind: 'drive';
  /** `dsk1`. Its nodes are `dsk1-fmt` and `dsk1-file`, since drives and nodes share one name space. */
  readonly id: string;
  readonly media: 'disk' | 'cdrom';
  /** Undefined: a drive without a disc. */
  readonly image: ImageNode | undefined;
  readonly readonly: boolean;
  /** What the guest writes is thrown away. */
  readonly snapshot: boolean;
  readonly cache?: string | undefined;
  readonly aio?: string | undefined;
  readonly discard?: string | undefined;
  readonly detectZeroes?: string | undefined;
  /** Most bytes a second; undefined: no limit. */
  readonly rate?: number | undefined;
}

/** Backends of network cards that qemu-init uses, as `netdev_add` takes them. */
export type NetdevArguments = Extract<NetdevAddArguments, { readonly type: 'hubport' | 'stream' | 'tap' | 'user' }>;

/** The backend of a card: `-netdev`, `netdev_add`. */
export interface Netdev extends OfKey {
  readonly kind: 'netdev';
  readonly arguments: NetdevArguments;
}

/** `-object`, `object-add`. */
export interface QemuObject extends OfKey {
  readonly kind: 'object';
  readonly type: string;
  readonly id: string;
  readonly properties: Properties;
}

/** An option that only works at a start. */
export interface PlainOption extends OfKey {
  readonly kind: 'option';
  /** As passed: `['-m', '2G']`. */
  readonly args: readonly string[];
}

/** A part of a machine as data: an option at a start, a command for a QEMU that runs. */
export type Part = Device | Drive | Netdev | PlainOption | QemuObject;

/** An option of `key` that only works at a start. */
export function option(key: string, ...args: string[]): PlainOption {
  return { kind: 'option', key, args };
}

/** A device of `key`. */
export function device(
  key: string,
  driver: string,
  place: Place & Pick<Partial<Device>, 'drive' | 'id'>,
  properties: Properties = {},
): Device {
  return { kind: 'device', key, driver, ...place, properties };
}

/** An object of `key`. */
export function object(key: string, type: string, id: string, properties: Properties): QemuObject {
  return { kind: 'object', key, type, id, properties };
}
