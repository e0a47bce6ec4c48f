import { QemuError } from '../base/errors.ts';
import { nearest, quote } from '../base/text.ts';

/** Initial settings of a machine for a system. */
export interface OsPreset {
  /** Keys and values, including OS. */
  readonly settings: readonly (readonly [key: string, value: string])[];
  /** Options of the disk created by `--disk`. */
  readonly diskOptions: string;
}

/** Windows has no virtio drivers when it is installed, and wants UEFI and the timers that its makers test with. */
function windows(firmware: OsPreset['settings']): OsPreset {
  return {
    settings: [
      ['SMP', '2'],
      ['RAM', '4G'],
      ...firmware,
      ['RTC', 'localtime'],
      ['HPET', 'off'],
      ['USB', 'on'],
      ['VMGENID', 'on'],
    ],
    diskOptions: ',if=sata',
  };
}

/** Systems that include virtio drivers. */
const UNIX: OsPreset = { settings: [['USB', 'on']], diskOptions: '' };

const FAMILIES: readonly { readonly names: readonly string[]; readonly preset: OsPreset }[] = [
  // Its installation requires Secure Boot and a TPM 2.0.
  {
    names: ['windows11', 'win11'],
    preset: windows([
      ['FIRMWARE', 'uefi-secure'],
      ['TPM', 'on'],
    ]),
  },
  {
    names: ['windows', 'windows10', 'windows2016', 'windows2019', 'windows2022', 'windows2025', 'win10'],
    preset: windows([['FIRMWARE', 'uefi']]),
  },
  {
    names: [
      ...[
        'linux',
        'almalinux',
        'alpine',
        'arch',
        'centos',
        'debian',
        'fedora',
        'gentoo',
        'nixos',
        'opensuse',
        'oracle',
      ],
      ...['rhel', 'rocky', 'sles', 'ubuntu', 'freebsd', 'netbsd', 'openbsd'],
    ],
    preset: UNIX,
  },
];

/**
 * What `create --os` writes for a system: its name with or without a version, in any case. All of it is in the file
 * of the machine and can be changed there.
 *
 * @throws {QemuError} `QEMU_USAGE` for a system without a preset.
 */
export function osPreset(os: string): OsPreset {
  const word = os.toLowerCase().replaceAll(/[-_. ]/g, '');
  const find = (name: string): OsPreset | undefined => FAMILIES.find(({ names }) => names.includes(name))?.preset;
  const preset = find(word) ?? find(word.replace(/\d+$/, ''));
  if (preset) return { ...preset, settings: [['OS', os], ...preset.settings] };
  const names = FAMILIES.flatMap((family) => family.names);
  const near = nearest(word, names);
  throw new QemuError('QEMU_USAGE', `There is no preset for ${quote(os)}`, {
    hint:
      near === undefined ? `there are ${names.join(', ')}; or leave out --os and set OS=` : `did you mean "${near}"?`,
  });
}
