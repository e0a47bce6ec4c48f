import type { NicConfig } from '../../config/device-config.ts';
import { type Chipset, pciPlace, slotFillers } from './chipset.ts';
import { type Device, device, type Netdev } from './description.ts';
import type { NicLink } from './request.ts';

/** The NICs. Both options begin as the qemu-init internals page documents them; what is ours follows. */
export function nicParts(
  nics: readonly NicConfig[],
  links: readonly NicLink[],
  chipset: Chipset,
  bootIndex: ReadonlyMap<string, number>,
): (Device | Netdev)[] {
  const isOnPci = nics.map(({ model }) => isPci(model));
  return [
    ...slotFillers(chipset, 'nic', isOnPci),
    ...nics.flatMap((nic, position) => nicPart(nic, links[position], nics.length, chipset, bootIndex)),
  ];
}

function nicPart(
  nic: NicConfig,
  link: NicLink | undefined,
  count: number,
  chipset: Chipset,
  bootIndex: ReadonlyMap<string, number>,
): (Device | Netdev)[] {
  const key = `NIC${nic.index}`;
  if (!link) return [];
  const { netdev, mac, deviceProperties } = link;
  const card = device(
    key,
    nic.model,
    { id: `nic${nic.index}`, ...(isPci(nic.model) ? pciPlace(chipset, 'nic', nic.index - 1, count) : {}) },
    {
      netdev: netdev?.id,
      mac,
      ...deviceProperties,
      bootindex: isPci(nic.model) ? bootIndex.get(key) : undefined,
    },
  );
  return netdev === undefined ? [card] : [{ kind: 'netdev', key, arguments: netdev }, card];
}

/** Models on another bus than PCI, which have neither a PCI address nor an option ROM to boot from. */
const NOT_PCI = /^(ne2k_isa|usb-net|virtio-net-device|virtio-net-ccw|.*-ccw|.*-device)$/;

function isPci(model: string): boolean {
  return !NOT_PCI.test(model);
}
