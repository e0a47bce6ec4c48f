import type { BootDevice, MachineConfig } from '../../config/types.ts';

/** Order of the families when BOOT= is absent: that of the key table. */
const DEFAULT_ORDER: readonly BootDevice[] = ['disk', 'cdrom', 'network'];

interface Bootable {
  readonly key: string;
  readonly bootIndex: number | undefined;
}

/** `bootindex` of every bootable device, by key such as `DSK1`. Lower boots first; absent devices never boot. */
export function bootIndexes(config: MachineConfig): ReadonlyMap<string, number> {
  const devices: Readonly<Record<BootDevice, readonly Bootable[]>> = {
    disk: config.disks.map(({ index, bootIndex }) => ({ key: `DSK${index}`, bootIndex })),
    cdrom: config.cdroms.map(({ index, bootIndex }) => ({ key: `CDR${index}`, bootIndex })),
    network: config.nics.map(({ index, bootIndex }) => ({ key: `NIC${index}`, bootIndex })),
  };
  const hasPlace = ({ bootIndex }: Bootable): boolean => bootIndex !== undefined;
  const placed = Object.values(devices).flat().filter(hasPlace);
  const chosen = placed.toSorted((a, b) => (a.bootIndex ?? 0) - (b.bootIndex ?? 0));
  const others = (config.boot ?? DEFAULT_ORDER).flatMap((family) => devices[family].filter((each) => !hasPlace(each)));
  const order = [...chosen, ...others].map(({ key }) => key);
  // QEMU gives 0 to the option ROM that boots KERNEL.
  const first = config.kernel === undefined ? 0 : 1;
  return new Map(order.map((key, position) => [key, first + position]));
}
