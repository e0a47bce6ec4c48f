/** How the value of a key is read. */
export type KeyType =
  | 'backup'
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
  | 'pciHost'
  | 'rtc'
  | 'share'
  | 'size'
  | 'smbios'
  | 'smp'
  | 'sound'
  | 'switch'
  | 'text'
  | 'usbHost'
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
}
