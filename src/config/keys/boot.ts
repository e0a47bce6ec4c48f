import type { KeySpec, OptionSpec } from './key-spec.ts';
import { BOOT_VALUES, FIRMWARE_VALUES, SWITCH_VALUES } from './values.ts';

const BOOT = 'Firmware and boot';

const FIRMWARE_OPTIONS = [
  {
    name: 'vars',
    type: 'text',
    default: '',
    doc: "file with the machine's variables, instead of one in the state folder; the guest writes to it",
  },
] as const satisfies readonly OptionSpec[];

/** Of every device that a guest can boot from. */
export const BOOTINDEX_OPTION = {
  name: 'bootindex',
  type: 'integer',
  default: '',
  min: 0,
  max: 9999,
  inDefaults: false,
  doc: 'place in the boot order, lowest first, before everything in BOOT',
} as const satisfies OptionSpec;

/** Keys of the group 'Firmware and boot', in the order of the template. */
export const BOOT_KEYS = [
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
    isRare: true,
    doc: 'TPM 2.0, emulated by swtpm(8), which keeps its contents in the state folder',
    details: [
      'swtpm runs as the user of the machine and ends with QEMU. If it ends before, `status` reports it: the guest no ' +
        'longer has its TPM then, and a reset of the guest ends QEMU. Backups and snapshots include the contents, ' +
        'a clone has a new TPM. There are no certificates of a manufacturer.',
    ],
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
] as const satisfies readonly KeySpec[];
