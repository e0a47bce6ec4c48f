import { textOf, type Variable } from './assignments.ts';

/** What quickemu gives a system; undefined: as Linux. */
export interface Hardware {
  readonly machine?: string;
  readonly cpu?: string;
  readonly nic?: string;
  /** Of the disk. */
  readonly bus?: string;
  readonly sound?: string;
  readonly vga?: string;
}

/** Systems that quickemu gives other hardware than Linux; those that it does not know have {@link UNKNOWN}. */
const HARDWARE: Readonly<Record<string, Hardware>> = {
  windows: { vga: 'qxl' },
  'windows-server': { nic: 'e1000', bus: 'sata', vga: 'qxl' },
  reactos: { machine: 'pc', cpu: 'qemu32', nic: 'e1000', bus: 'ide', vga: 'qxl' },
  batocera: { machine: 'pc', nic: 'rtl8139', vga: 'qxl' },
  freedos: { machine: 'pc', nic: 'rtl8139', sound: 'off', vga: 'qxl' },
  haiku: { machine: 'pc', nic: 'rtl8139', vga: 'qxl' },
  kolibrios: { machine: 'pc', cpu: 'qemu32', nic: 'rtl8139', bus: 'sata', vga: 'qxl' },
  solaris: { machine: 'pc', sound: 'ac97', vga: 'vmware' },
  linux: {},
  linux_old: { vga: 'vmware' },
};

/** Name of the system in the guest. */
export function systemOf(variables: ReadonlyMap<string, Variable>): string {
  return (textOf(variables, 'guest_os') ?? 'linux').toLowerCase();
}

const UNKNOWN: Hardware = { nic: 'rtl8139', vga: 'qxl' };

/** What the system in the guest gets. */
export function hardwareOf(variables: ReadonlyMap<string, Variable>): Hardware {
  const system = systemOf(variables);
  return HARDWARE[system] ?? (system.endsWith('bsd') ? { vga: 'std' } : system.startsWith('linux') ? {} : UNKNOWN);
}
