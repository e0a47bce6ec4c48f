import type { NicConfig } from '../../config/types.ts';
import { type Chipset, pciPlace, slotFillers } from './chipset.ts';
import { type Option, option, properties } from './option.ts';
import type { NicLink } from './request.ts';

/**
 * The NICs. Both options begin as the qemu-init internals page documents them; what is ours follows.
 */
export function nicOptions(
  nics: readonly NicConfig[],
  links: readonly NicLink[],
  chipset: Chipset,
  bootIndex: ReadonlyMap<string, number>,
): Option[] {
  const fillers = slotFillers(
    chipset,
    'nic',
    nics.map(({ model }) => isPci(model)),
  );
  return [
    ...fillers.map((device) => option('NIC', '-device', device)),
    ...nics.flatMap((nic, position) => nicOption(nic, links[position], nics.length, chipset, bootIndex)),
  ];
}

function nicOption(
  nic: NicConfig,
  link: NicLink | undefined,
  count: number,
  chipset: Chipset,
  bootIndex: ReadonlyMap<string, number>,
): Option[] {
  const key = `NIC${nic.index}`;
  if (!link) return [];
  const order = bootIndex.get(key);
  const device = option(
    key,
    '-device',
    properties(
      nic.model,
      link.netdev !== undefined && `netdev=net${nic.index - 1}`,
      `mac=${link.mac}`,
      `id=nic${nic.index}`,
      isPci(nic.model) && pciPlace(chipset, 'nic', nic.index - 1, count),
      link.deviceProperties,
      order !== undefined && isPci(nic.model) && `bootindex=${order}`,
    ),
  );
  return link.netdev === undefined ? [device] : [device, option(key, '-netdev', link.netdev)];
}

/** Models that sit on another bus than PCI, and have neither a PCI place nor an option ROM to boot from. */
const NOT_PCI = /^(ne2k_isa|usb-net|virtio-net-device|virtio-net-ccw|.*-ccw|.*-device)$/;

function isPci(model: string): boolean {
  return !NOT_PCI.test(model);
}
