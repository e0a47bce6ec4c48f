import { dirname } from 'node:path';
import type { MachineConfig } from '../../../config/types.ts';
import { type UnitLine, unitPath } from './unit-text.ts';

/** What the unit may use of the host: systemd.resource-control(5). */
export function resourceLines({ limits, disks }: Pick<MachineConfig, 'limits' | 'disks'>): UnitLine[] {
  if (limits === undefined) return [];
  const { cpuPercent, memoryBytes, ioBytes, cpuSet } = limits;
  const isDevice = (path: string): boolean => path.startsWith('/dev/');
  // Of a file systemd looks up the device that its file system is on.
  const places = [...new Set(disks.map(({ file }) => (isDevice(file) ? file : dirname(file))))];
  return [
    ...(cpuPercent === undefined ? [] : ([['CPUQuota', `${cpuPercent}%`]] as const)),
    // Without this the kernel would move what is too much to the swap of the host.
    ...(memoryBytes === undefined
      ? []
      : ([
          ['MemoryMax', String(memoryBytes)],
          ['MemorySwapMax', '0'],
        ] as const)),
    ...(ioBytes === undefined
      ? []
      : places.flatMap((place): UnitLine[] => [
          ['IOReadBandwidthMax', `${unitPath(place)} ${ioBytes}`],
          ['IOWriteBandwidthMax', `${unitPath(place)} ${ioBytes}`],
        ])),
    ...(cpuSet === undefined ? [] : ([['AllowedCPUs', cpuSet]] as const)),
  ];
}
