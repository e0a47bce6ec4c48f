import type { MachineConfig } from '../../../config/types.ts';
import { type Chipset, pciPlace } from '../chipset.ts';
import { type Device, device, type Place } from '../description.ts';

/**
 * PCI devices of the host, in further functions of the watchdog's slot; where there is PCI Express each has a port of its
 * own there, as on a real board.
 */
export function pciHostParts({ pci, watchdog }: Pick<MachineConfig, 'pci' | 'watchdog'>, chipset: Chipset): Device[] {
  const isExpress = chipset === 'q35' || chipset === 'virt';
  const [first] = pci;
  if (first === undefined) return [];
  return [
    ...(watchdog === 'off' ? firstFunction(`PCI${first.index}`, chipset) : []),
    ...pci.flatMap(({ index, address }): Device[] => {
      const key = `PCI${index}`;
      const id = key.toLowerCase();
      const place = placeOf(chipset, index);
      if (!isExpress) return [device(key, 'vfio-pci', { id, ...place }, { host: address })];
      const port = `${id}-port`;
      return [
        device(key, 'pcie-root-port', { id: port, ...place }, { chassis: FIRST_CHASSIS + index }),
        device(key, 'vfio-pci', { id, bus: port }, { host: address }),
      ];
    }),
  ];
}

/** Past those of slots, and of the ports for hot-plug. */
const FIRST_CHASSIS = 200;

function placeOf(chipset: Chipset, fn: number): Place {
  const { bus, addr } = pciPlace(chipset, 'watchdog');
  return addr === undefined ? {} : { bus, addr: `${addr}.${fn}` };
}

/** What makes guests look for the other functions, where the watchdog does not. */
function firstFunction(key: string, chipset: Chipset): Device[] {
  if (chipset === 'other') return [];
  const place = pciPlace(chipset, 'watchdog');
  const chassis = Number(place.addr);
  const at = { id: `slot${chassis}`, ...place, multifunction: true };
  return chipset === 'pc'
    ? [device(key, 'pci-bridge', at, { chassis_nr: chassis })]
    : [device(key, 'pcie-root-port', at, { chassis })];
}
