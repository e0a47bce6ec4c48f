import { dirname } from 'node:path';
import type { MachineConfig } from '../../config/types.ts';

/** A property of a unit of systemd. Of one that is about a device, `place` names a file on it. */
export interface ResourceProperty {
  readonly name: string;
  readonly value: string;
  readonly place?: string | undefined;
}

/** What the unit of a machine, or its scope, may use of the host: systemd.resource-control(5). Pure. */
export function resourceProperties({ limits, disks }: Pick<MachineConfig, 'limits' | 'disks'>): ResourceProperty[] {
  if (limits === undefined) return [];
  const { cpuPercent, memoryBytes, ioBytes, cpuSet } = limits;
  const isDevice = (path: string): boolean => path.startsWith('/dev/');
  // Of a file systemd looks up the device that its file system is on.
  const places = [...new Set(disks.map(({ file }) => (isDevice(file) ? file : dirname(file))))];
  return [
    ...(cpuPercent === undefined ? [] : [{ name: 'CPUQuota', value: `${cpuPercent}%` }]),
    // Without this the kernel would move what is too much to the swap of the host.
    ...(memoryBytes === undefined
      ? []
      : [
          { name: 'MemoryMax', value: String(memoryBytes) },
          { name: 'MemorySwapMax', value: '0' },
        ]),
    ...(ioBytes === undefined
      ? []
      : places.flatMap((place) =>
          ['IOReadBandwidthMax', 'IOWriteBandwidthMax'].map((name) => ({ name, place, value: String(ioBytes) })),
        )),
    ...(cpuSet === undefined ? [] : [{ name: 'AllowedCPUs', value: cpuSet }]),
  ];
}
