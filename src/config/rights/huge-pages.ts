import { HUGEPAGES_VALUES } from '../keys/values.ts';
import type { SettingsReader } from '../reader.ts';
import { renderSize } from '../text/values.ts';
import type { MachineConfig } from '../types.ts';

/** Reads `HUGEPAGES`. */
export function readHugePages(reader: SettingsReader): Pick<MachineConfig, 'hugePages'> {
  const value = reader.choice('HUGEPAGES', HUGEPAGES_VALUES);
  return value === 'off' ? {} : { hugePages: value };
}

const PAGE_BYTES = { '2M': 2 * 1024 ** 2, '1G': 1024 ** 3 } as const;

/** Bytes of a page of HUGEPAGES; undefined for that of the host. */
export function hugePageBytes({ hugePages }: Pick<MachineConfig, 'hugePages'>): number | undefined {
  return hugePages === undefined || hugePages === 'on' ? undefined : PAGE_BYTES[hugePages];
}

/** Reports memory that is no multiple of its pages. */
export function checkHugePages(config: MachineConfig, report: (key: string, message: string) => void): void {
  const pageBytes = hugePageBytes(config);
  if (pageBytes === undefined) return;
  const pieces = [
    ...(config.numa.length === 0 ? [['RAM', config.memoryBytes] as const] : []),
    ...config.numa.map(({ index, memoryBytes }) => [`NUMA${index}`, memoryBytes] as const),
  ];
  for (const [key, bytes] of pieces) {
    if (bytes % pageBytes === 0) continue;
    const message = `${key} ${renderSize(bytes)} must be a multiple of ${renderSize(pageBytes)}, the size of its huge pages`;
    report(key, message);
  }
}
