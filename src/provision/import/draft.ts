import { checkCustom } from '../../config/custom-options.ts';
import { findControlCharacter } from '../../config/text/cfg-lines.ts';
import { joinWords } from '../../config/text/shell-words.ts';

/** What became of a part of a foreign definition. `refused`: it has a meaning here, but cannot be used as it is. */
export type ImportOutcome = 'carried' | 'changed' | 'lost' | 'refused';

/** One element, key or option of a foreign definition. */
export interface ImportItem {
  /** Line in the file, from 1. */
  readonly line: number;
  /** As written there, shortened: `<disk type='file'>`, `net0: model=virtio`. */
  readonly source: string;
  readonly outcome: ImportOutcome;
  /** Key of the cfg that has it now: `DSK1`, or `[custom]`. */
  readonly key: string | undefined;
  /** Value of that key, or the option in it. */
  readonly value: string | undefined;
  /** What changed, and why something is not carried over. */
  readonly reason: string | undefined;
  /** It is part of something that is lost as a whole, and needs no line of its own. */
  readonly isPart?: boolean | undefined;
}

/** Where something is in a foreign definition. */
export interface ImportPlace {
  readonly line: number;
  readonly source: string;
}

/** A disk, CD drive or NIC; its number follows from the order. */
export interface DraftDevice {
  readonly head: string;
  readonly options: (readonly [name: string, value: string])[];
  /** Items about it, whose key gets the number. */
  readonly places: ImportPlace[];
}

/** Stem of a numbered key. */
export type DeviceStem = 'DSK' | 'CDR' | 'NIC' | 'NUMA' | 'SMBIOS' | 'SHARE' | 'USB' | 'PCI';

interface MutableItem {
  line: number;
  source: string;
  outcome: ImportOutcome;
  key: string | undefined;
  value: string | undefined;
  reason: string | undefined;
  isPart?: boolean;
  /** Device that the key stands for. */
  device?: DraftDevice;
}

/**
 * A machine as it is read from a foreign definition: the values for its cfg file, and what became of each part.
 * All readers of definitions fill one; what it holds is written by {@link renderDraft}.
 */
export class ImportDraft {
  /** As the definition calls it; may be no valid name here. */
  name: string | undefined;
  /** Nothing without a place in the boot order is booted, even when nothing has one. */
  isStrictBoot = false;
  readonly settings = new Map<string, string>();
  readonly devices: Readonly<Record<DeviceStem, DraftDevice[]>> = {
    DSK: [],
    CDR: [],
    NIC: [],
    NUMA: [],
    SMBIOS: [],
    SHARE: [],
    USB: [],
    PCI: [],
  };
  /** Lines of `[custom]`. */
  readonly custom: string[][] = [];
  readonly #items: MutableItem[] = [];

  /** What became of each part, in the order of the file. */
  get items(): readonly ImportItem[] {
    return this.#items
      .map(({ device, ...item }) => ({ ...item, key: device === undefined ? item.key : this.keyOf(device) }))
      .sort((one, other) => one.line - other.line);
  }

  /** The same value is in the cfg. */
  carry(place: ImportPlace, key: string | DraftDevice, value?: string): void {
    this.#note(place, 'carried', key, value, undefined);
  }

  /** It is in the cfg in another form, or with another effect. */
  change(place: ImportPlace, key: string | DraftDevice, value: string | undefined, reason: string): void {
    this.#note(place, 'changed', key, value, reason);
  }

  /** It has no place in the cfg. */
  lose(place: ImportPlace, reason: string, isPart = false): void {
    this.#items.push({
      ...plain(place),
      outcome: 'lost',
      key: undefined,
      value: undefined,
      reason,
      ...(isPart && { isPart }),
    });
  }

  /** It matters, and the machine is not complete without it. */
  refuse(place: ImportPlace, reason: string): void {
    this.#items.push({ ...plain(place), outcome: 'refused', key: undefined, value: undefined, reason });
  }

  /** Sets a key that carries the value as it is. */
  set(place: ImportPlace, key: string, value: string): void {
    this.settings.set(key, value);
    this.carry(place, key, value);
  }

  /** Sets a key whose value differs from what was written. */
  setChanged(place: ImportPlace, key: string, value: string, reason: string): void {
    this.settings.set(key, value);
    this.change(place, key, value, reason);
  }

  /** Sets a key for what the definition does not state, such as a device that it does not have. */
  assume(key: string, value: string): void {
    if (!this.settings.has(key)) this.settings.set(key, value);
  }

  addDevice(stem: DeviceStem, head: string, options: DraftDevice['options'] = []): DraftDevice {
    const device: DraftDevice = { head, options, places: [] };
    this.devices[stem].push(device);
    return device;
  }

  /** Raw QEMU options, each line as its words. */
  addCustom(place: ImportPlace, words: readonly string[], reason: string): void {
    const problem = words[0]?.startsWith('-')
      ? checkCustom(words).find(({ severity }) => severity === 'error')?.problem
      : 'it does not begin with "-"';
    if (problem !== undefined) {
      this.refuse(place, `cannot be used in [custom]: ${problem}`);
      return;
    }
    this.custom.push([...words]);
    this.change(place, '[custom]', joinWords(words), reason);
  }

  /** Arguments of QEMU that another program passes on as they are. */
  addArguments(place: ImportPlace, words: readonly string[]): void {
    const ids = new Set(words.flatMap((word) => /(?:^|,)id=([^,]*)/.exec(word)?.[1] ?? []));
    for (let at = 0; at < words.length; ) {
      const line = [words[at] ?? ''];
      at += 1;
      while (at < words.length && !(words[at] ?? '').startsWith('-')) {
        line.push(words[at] ?? '');
        at += 1;
      }
      const named = line[0] === '-set' ? /^\w+\.([^.]+)\./.exec(line[1] ?? '')?.[1] : undefined;
      if (named !== undefined && !ids.has(named)) {
        this.refuse(
          { ...place, source: line.join(' ') },
          `"${named}" is a name of that program: it has another one here`,
        );
        continue;
      }
      this.addCustom(place, line, 'an option of QEMU that comes last; its ids must not be those of qemu-init');
    }
  }

  /** Sets NAME, and notes that the definition's own name is changed. */
  rename(name: string, reason: string): void {
    this.settings.set('NAME', name);
    for (const item of this.#items) {
      if (item.key === 'NAME') Object.assign(item, { outcome: 'changed', value: name, reason });
    }
  }

  /**
   * Leaves what has no place of its own out of the boot order when other devices have one, as QEMU does with
   * `-boot strict=on`, and libvirt and Proxmox VE with an order of devices.
   */
  bootOnlyIndexed(): void {
    const kinds = Object.entries({ disk: 'DSK', cdrom: 'CDR', network: 'NIC' } as const);
    const hasIndex = ({ options }: DraftDevice): boolean => options.some(([name]) => name === 'bootindex');
    if (!this.isStrictBoot && !kinds.some(([, stem]) => this.devices[stem].some(hasIndex))) return;
    const complete = kinds.filter(([, stem]) => this.devices[stem].every(hasIndex)).map(([kind]) => kind);
    if (complete.length > 0 && complete.length < kinds.length) this.assume('BOOT', complete.join(','));
  }

  /** `DSK2` for the second disk. */
  keyOf(device: DraftDevice): string {
    for (const [stem, devices] of Object.entries(this.devices)) {
      const position = devices.indexOf(device);
      if (position >= 0) return `${stem}${position + 1}`;
    }
    return '';
  }

  /**
   * Turns all that a key carries into something refused, and takes the key away.
   *
   * @returns whether the key was there.
   */
  reject(key: string, reason: string): boolean {
    const [, stem = '', number = ''] = /^([A-Z]+?)(\d+)$/.exec(key) ?? [];
    const device = isStem(stem) ? this.devices[stem][Number(number) - 1] : undefined;
    if (device === undefined && !this.settings.has(key)) return false;
    if (device && this.#rejectOption(device, reason)) return true;
    // One node alone has no meaning without the others.
    const gone = stem === 'NUMA' ? [...this.devices.NUMA] : device ? [device] : [];
    const concerned = this.#items.filter((item) =>
      item.device === undefined ? item.key === key : gone.includes(item.device),
    );
    for (const item of concerned) Object.assign(item, REFUSED, { reason });
    if (isStem(stem)) this.devices[stem].splice(gone.length > 1 ? 0 : Number(number) - 1, gone.length);
    this.settings.delete(key);
    return true;
  }

  /** Refuses each value that no line of a cfg file can have, so that nothing in it is taken for a line of its own. */
  rejectControls(): void {
    for (const [key, value] of this.settings) {
      const reason = whyUnwritable(value);
      if (reason !== undefined) this.reject(key, reason);
    }
    for (const [stem, devices] of Object.entries(this.devices)) {
      for (const device of devices.toReversed()) {
        const options = device.options.filter(([, value]) => whyUnwritable(value) !== undefined);
        for (const [name, value] of options) this.#rejectOption(device, `${name}= ${whyUnwritable(value)}`);
        const reason = whyUnwritable(device.head);
        if (reason !== undefined) this.reject(`${stem}${devices.indexOf(device) + 1}`, reason);
      }
    }
    for (const words of this.custom.filter((each) => whyUnwritable(each.join('')) !== undefined)) {
      this.custom.splice(this.custom.indexOf(words), 1);
      const reason = whyUnwritable(words.join(''));
      for (const item of this.#items) {
        if (item.key === '[custom]' && item.value === joinWords(words)) Object.assign(item, REFUSED, { reason });
      }
    }
  }

  /** Takes only the option away that the reason names, so that a disk is not lost with it. */
  #rejectOption(device: DraftDevice, reason: string): boolean {
    const placeOf = ([name, value]: readonly [string, string]): number => {
      const at = reason.search(new RegExp(`\\b${name}=|(?<=^[A-Z]+\\d+ )${name}\\b`));
      if (at >= 0 || !new RegExp(`\\b${name}\\b`, 'i').test(reason)) return at;
      return reason.indexOf(`"${value}"`);
    };
    // The first one is what is wrong, the others are what it does not go with.
    const [option] = device.options.filter((each) => placeOf(each) >= 0).toSorted((a, b) => placeOf(a) - placeOf(b));
    if (option === undefined) return false;
    device.options.splice(device.options.indexOf(option), 1);
    const about = this.#items.filter((item) => item.device === device);
    const own = about.find((item) => item.value === option.join('='));
    if (own) Object.assign(own, REFUSED, { reason });
    else this.refuse({ line: about[0]?.line ?? 1, source: option.join('=') }, reason);
    return true;
  }

  #note(
    place: ImportPlace,
    outcome: ImportOutcome,
    key: string | DraftDevice,
    value: string | undefined,
    reason: string | undefined,
  ): void {
    const target = typeof key === 'string' ? { key } : { key: undefined, device: key };
    this.#items.push({ ...plain(place), outcome, value, reason, ...target });
  }
}

function plain({ line, source }: ImportPlace): ImportPlace {
  return { line, source: shorten(source) };
}

const REFUSED = { outcome: 'refused', key: undefined, value: undefined, device: undefined } as const;

function whyUnwritable(value: string): string | undefined {
  const control = findControlCharacter(value);
  return control === undefined ? undefined : `has a control character (${control})`;
}

/** A line of a table does not need more. */
const LONGEST_SOURCE = 120;

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST_SOURCE ? `${line.slice(0, LONGEST_SOURCE - 1)}…` : line;
}

function isStem(word: string): word is DeviceStem {
  return ['DSK', 'CDR', 'NIC', 'NUMA', 'SMBIOS', 'SHARE', 'USB', 'PCI'].includes(word);
}
