import { textOf, type Variable } from './assignments.ts';

/** What quickemu gives a system; undefined: as Linux. */
export interface Hardware {
  readonly machine?: string;
  readonly cpu?: string;
  readonly nic?: string;
  /** Of the disk. */
  readonly bus?: string;
  readonly sound?: string;
}

/** Systems that quickemu gives other hardware than Linux. */
const HARDWARE: Readonly<Record<string, Hardware>> = {
  'windows-server': { nic: 'e1000', bus: 'sata' },
  reactos: { machine: 'pc', cpu: 'qemu32', nic: 'e1000', bus: 'ide' },
  batocera: { machine: 'pc', nic: 'rtl8139' },
  freedos: { machine: 'pc', nic: 'rtl8139', sound: 'off' },
  haiku: { machine: 'pc', nic: 'rtl8139' },
  kolibrios: { machine: 'pc', cpu: 'qemu32', nic: 'rtl8139', bus: 'sata' },
  solaris: { machine: 'pc', sound: 'ac97' },
};

/** Name of the system in the guest. */
export function systemOf(variables: ReadonlyMap<string, Variable>): string {
  return (textOf(variables, 'guest_os') ?? 'linux').toLowerCase();
}

/** What the system in the guest gets. */
export function hardwareOf(variables: ReadonlyMap<string, Variable>): Hardware {
  return HARDWARE[systemOf(variables)] ?? {};
}
