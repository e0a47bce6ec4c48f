import { quote } from '../../base/text.ts';
import { parseMemory } from '../hardware/hardware.ts';
import type { SettingsReader } from '../reader.ts';
import type { ValueContext } from '../text/option-list.ts';
import { renderSize } from '../text/values.ts';
import type { MachineConfig, ResourceLimits } from '../types.ts';

/** What a unit may use, when a key says so. */
export function readLimits(reader: SettingsReader): Pick<MachineConfig, 'limits'> {
  const limits: ResourceLimits = {
    cpuPercent: reader.read('LIMIT_CPU', parsePercent),
    memoryBytes: reader.read('LIMIT_MEMORY', parseMemory),
    ioBytes: reader.read('LIMIT_IO', parseMemory),
    cpuSet: reader.read('CPUSET', parseCpuSet),
  };
  return Object.values(limits).some((limit) => limit !== undefined) ? { limits } : {};
}

/** Reports limits that a machine could not live with. */
export function checkLimits(
  { limits, memoryBytes }: MachineConfig,
  report: (key: string, message: string, hint?: string) => void,
): void {
  const most = limits?.memoryBytes;
  if (most === undefined || most > memoryBytes) return;
  const message = `LIMIT_MEMORY ${renderSize(most)} must be more than RAM ${renderSize(memoryBytes)}: QEMU needs memory itself`;
  report('LIMIT_MEMORY', message, `for instance LIMIT_MEMORY=${renderSize(memoryBytes + 512 * 1024 ** 2)}`);
}

/** Percent of one processor, from `150%` or `1.5`. */
function parsePercent(text: string, { key, report }: ValueContext): number | undefined {
  const [, number = '', sign] = /^(\d{1,6}(?:\.\d{1,4})?)[ \t]*(%)?$/.exec(text) ?? [];
  const percent = Math.round(Number(number) * (sign === undefined ? 100 : 1));
  if (number !== '' && percent >= 1) return percent;
  report(`${key} must be a part of the time of processors such as 150% or 1.5, not ${quote(text)}`);
  return undefined;
}

const MOST_CPU = 8191;

/** As systemd.resource-control(5) and Linux take it. */
function parseCpuSet(text: string, { key, report }: ValueContext): string | undefined {
  const ranges = text.split(/[ \t]*,[ \t]*|[ \t]+/);
  const isRange = (range: string): boolean => {
    const [, first, last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(range) ?? [];
    return first !== undefined && Number(first) <= Number(last) && Number(last) <= MOST_CPU;
  };
  if (ranges.every(isRange)) return ranges.join(',');
  report(`${key} must be numbers of processors such as 0-3,8, not ${quote(text)}`);
  return undefined;
}
