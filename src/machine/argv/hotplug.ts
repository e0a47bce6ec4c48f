import type { MachineConfig } from '../../config/types.ts';
import { readValues } from '../check/option-values.ts';
import type { Chipset } from './chipset.ts';
import { type Device, device } from './description.ts';
import { pciSlotOf } from './pci-slot.ts';

/**
 * First PCI slot of the ports; three slots of eight functions are between our own devices and the south bridge of q35.
 */
const FIRST_SLOT = 0x1c;
const PORTS_PER_SLOT = 8;

/** First chassis number; our other bridges use their slots as numbers, which are lower. */
const FIRST_CHASSIS = 0x20;

/**
 * Whether a device can be plugged in only where there is a port for it: `pcie.0` itself takes nothing while the machine
 * runs.
 */
export function needsPorts(chipset: Chipset): boolean {
  return chipset === 'q35' || chipset === 'virt';
}

/**
 * The free PCIe root ports, `hp1` and so on, each at its fixed place. Those of the default give way to devices that
 * `[custom]` puts into their slots.
 */
export function hotplugParts(config: MachineConfig, chipset: Chipset): Device[] {
  if (!needsPorts(chipset)) return [];
  const taken = config.origins.has('HOTPLUG') ? new Set<number>() : customSlots(config);
  return Array.from({ length: config.hotplug }, (_, at) => at).flatMap((at) => {
    const slot = FIRST_SLOT + Math.floor(at / PORTS_PER_SLOT);
    if (taken.has(slot)) return [];
    const fn = at % PORTS_PER_SLOT;
    const place = {
      bus: 'pcie.0',
      addr: `0x${slot.toString(16)}${fn > 0 ? `.${fn}` : ''}`,
      // Set even for one port, so that adding more ports does not change it.
      multifunction: fn === 0 || undefined,
    };
    return [device('HOTPLUG', 'pcie-root-port', { id: `hp${at + 1}`, ...place }, { chassis: FIRST_CHASSIS + at })];
  });
}

function customSlots({ custom }: MachineConfig): Set<number> {
  const values = custom.flatMap(({ args }) => args.filter((_, at) => /^--?device$/.test(args[at - 1] ?? '')));
  return new Set(values.flatMap((value) => pciSlotOf(readValues(value))?.slot ?? []));
}
