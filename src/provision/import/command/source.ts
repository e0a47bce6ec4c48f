import { isAbsolute, join } from 'node:path';
import type { ImportDraft, ImportPlace } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import { type CommandOption, property } from './options.ts';

/** Options whose properties are all accounted for; others are replaced as a whole, or are read as a whole. */
const SWEPT = new Set(['device', 'drive', 'blockdev', 'netdev', 'net', 'nic', 'object', 'accel', 'audiodev', 'fsdev']);

/** Properties that say where a device is, or what it is called inside of QEMU: qemu-init does that. */
const PLACES = new Set(['id', 'bus', 'addr', 'multifunction', 'port', 'nr', 'vectors', 'qom-type', 'driver']);

/** Drivers of NICs and disks that are PCI devices. */
const NAMED_BY_PLACE = /^(?:virtio-(?:net|blk)|nvme|e1000|rtl8139|vmxnet3|igb|i82|pcnet|ne2k_pci|tulip)/;

/** Command lines of qemu-init have its own places. */
const OWN_ID = /^(?:dsk|nic)\d+(?:-dev)?$/;

/** A command line that is being read. */
export class CommandSource {
  readonly draft: ImportDraft;
  readonly files: ImportFiles;
  readonly options: readonly CommandOption[];
  /** The name of the program alone stands for `-accel kvm`. */
  readonly isKvmByName: boolean;

  constructor(options: readonly CommandOption[], draft: ImportDraft, files: ImportFiles, isKvmByName: boolean) {
    this.options = options;
    this.isKvmByName = isKvmByName;
    this.draft = draft;
    this.files = files;
  }

  /** Options of a name that nothing stands for yet. */
  unused(...names: string[]): CommandOption[] {
    return this.options.filter((option) => !option.isUsed && names.includes(option.name));
  }

  /** Options of a name, also those that are used. */
  all(...names: string[]): CommandOption[] {
    return this.options.filter((option) => names.includes(option.name));
  }

  has(...names: string[]): boolean {
    return this.options.some((option) => names.includes(option.name));
  }

  /** The option of one of these names with that id. */
  byId(id: string | undefined, ...names: string[]): CommandOption | undefined {
    if (id === undefined) return undefined;
    return this.options.find(
      (option) =>
        names.includes(option.name) && (property(option, 'id') === id || property(option, 'node-name') === id),
    );
  }

  /** Path of a file, which is relative to the folder that QEMU was started in. */
  path(file: string): string {
    return isAbsolute(file) ? file : join(this.files.dir, file);
  }

  /** Marks an option as part of the result. */
  use(option: CommandOption): ImportPlace {
    option.isUsed = true;
    return option;
  }

  /** Notes the properties of devices and images that no reader knows. */
  loseUnknown(): void {
    for (const option of this.options) {
      if (!option.isUsed || option.isReplaced === true || !SWEPT.has(option.name)) continue;
      this.#losePlace(option);
      this.loseParts(
        option,
        option.properties.filter(([name]) => !option.known.has(name) && !PLACES.has(name)),
        'has no counterpart',
      );
    }
  }

  /** A NIC or disk at another place has another name in most guests. */
  #losePlace(option: CommandOption): void {
    const [driver = '', address, id = ''] = ['driver', 'addr', 'id'].map((name) => property(option, name));
    if (address === undefined || !NAMED_BY_PLACE.test(driver) || OWN_ID.test(id)) return;
    this.loseParts(option, [['addr', address]], 'PCI places are given by qemu-init; the name in the guest may change');
  }

  /** Notes parts of an option that are not carried over. */
  loseParts(option: CommandOption, parts: readonly (readonly [string, string])[], reason: string): void {
    for (const [name, value] of parts) {
      option.known.add(name);
      this.draft.lose({ line: option.line, source: `-${option.name} ${name}=${value}` }, reason);
    }
  }
}
