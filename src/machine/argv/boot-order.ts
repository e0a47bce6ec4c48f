import type { BootDevice, MachineConfig } from '../../config/types.ts';

/** Order of the families when BOOT= is absent: as they stand in the key table. */
const DEFAULT_ORDER: readonly BootDevice[] = ['disk', 'cdrom', 'network'];

/** `bootindex` of every bootable device, by key such as `DSK1`. Lower boots first; what is absent never boots. */
export function bootIndexes(config: MachineConfig): ReadonlyMap<string, number> {
  const keys: Readonly<Record<BootDevice, readonly string[]>> = {
    disk: config.disks.map(({ index }) => `DSK${index}`),
    cdrom: config.cdroms.map(({ index }) => `CDR${index}`),
    network: config.nics.map(({ index }) => `NIC${index}`),
  };
  const order = (config.boot ?? DEFAULT_ORDER).flatMap((family) => keys[family]);
  // QEMU gives 0 to the option ROM that boots KERNEL.
  const first = config.kernel === undefined ? 0 : 1;
  return new Map(order.map((key, position) => [key, first + position]));
}
