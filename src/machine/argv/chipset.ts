import { type Device, device, type Place } from './description.ts';

/** The part of a machine type that decides where devices go. */
export type Chipset = 'q35' | 'pc' | 'virt' | 'other';

/**
 * The chipset of a QEMU machine type such as `q35`, `pc-q35-7.2`, `pc-i440fx-7.2`, `virt-7.2`; that `virt` of m68k has
 * no PCI bus.
 */
export function chipsetOf(machineType: string, targetArch = ''): Chipset {
  const type = machineType.split(',')[0] ?? '';
  if (type === 'q35' || type.startsWith('pc-q35')) return 'q35';
  if (type === 'pc' || type.startsWith('pc-i440fx')) return 'pc';
  if (type === 'virt' || type.startsWith('virt-')) return targetArch.endsWith('m68k') ? 'other' : 'virt';
  return 'other';
}

/** First slot of each family on the root bus. Adding a device of one family moves none of another. */
const FIRST_SLOT = {
  // 0x01 is the south bridge of `pc`, 0x1f that of `q35`; `virt` has neither.
  panic: 0x01,
  vga: 0x02,
  agent: 0x03,
  rng: 0x04,
  balloon: 0x05,
  scsi: 0x06,
  sataDisks: 0x07,
  nic: 0x08,
  disk: 0x10,
  sataCdroms: 0x18,
  usb: 0x19,
  watchdog: 0x1a,
  share: 0x1b,
  // Of `pc`, which has no ports for hot-plug there.
  seed: 0x1c,
} as const;

export type SlotFamily = keyof typeof FIRST_SLOT | 'sound';

/** The sound card is where boards have no south bridge: `pc` has it at 0x01, `q35` at 0x1f. */
const SOUND_SLOT = { q35: 0x01, pc: 0x1f, virt: 0x1f } as const;

/** Slots that NICs and disks have each; the ninth device becomes function 1 of the first one's slot. */
const SLOTS_PER_FAMILY = 8;
const FUNCTIONS_PER_SLOT = 8;

/** Most NICs, and most virtio and NVMe disks, that one machine can have. */
export const MOST_PER_FAMILY = SLOTS_PER_FAMILY * FUNCTIONS_PER_SLOT;

/**
 * The place of a device, fixed by its family and number; on a chipset without a PCI bus of ours QEMU places it.
 *
 * @param index number within the family, from 0.
 * @param count how many the machine has of the family: past eight, function 0 is marked as multifunction.
 */
export function pciPlace(chipset: Chipset, family: SlotFamily, index = 0, count = 1): Place {
  if (chipset === 'other') return {};
  const slots = family === 'nic' || family === 'disk' ? SLOTS_PER_FAMILY : 1;
  const slot = (family === 'sound' ? SOUND_SLOT[chipset] : FIRST_SLOT[family]) + (index % slots);
  const fn = Math.floor(index / slots);
  const address = `0x${slot.toString(16)}${fn > 0 ? `.${fn}` : ''}`;
  const shared = fn === 0 && count > slots && index + slots < count;
  return { bus: rootBus(chipset), addr: address, multifunction: shared || undefined };
}

function rootBus(chipset: Chipset): string {
  return chipset === 'pc' ? 'pci.0' : 'pcie.0';
}

/**
 * Empty bridges for the slots of a family where function 0 is not a PCI device but a later function is:
 * a guest looks for functions 1 to 7 only where there is a function 0 (PCI Local Bus Specification 3.0, 3.2.2.3.4).
 *
 * @param isPci of each device of the family in order, whether it sits on the PCI bus.
 * @returns bridges of the key of the first device that needs them.
 */
export function slotFillers(chipset: Chipset, family: 'nic' | 'disk', isPci: readonly boolean[]): Device[] {
  if (chipset === 'other') return [];
  return Array.from({ length: SLOTS_PER_FAMILY }, (_, at) => at).flatMap((at) => {
    const further = isPci.findIndex((each, index) => each && index % SLOTS_PER_FAMILY === at);
    if (further < 0 || isPci[at]) return [];
    const key = `${family === 'nic' ? 'NIC' : 'DSK'}${further + 1}`;
    const chassis = FIRST_SLOT[family] + at;
    const place = { id: `slot${chassis}`, ...pciPlace(chipset, family, at, isPci.length) };
    return chipset === 'pc'
      ? device(key, 'pci-bridge', place, { chassis_nr: chassis })
      : device(key, 'pcie-root-port', place, { chassis });
  });
}
