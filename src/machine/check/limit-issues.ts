import type { Problem } from '../../base/problem.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { findProgram } from '../../system/process/find-program.ts';
import { issueAt } from './issues.ts';

/** Processors that CPUSET names and this host does not have. */
export function limitIssues(config: MachineConfig): Problem[] {
  const wanted = config.limits?.cpuSet;
  if (wanted === undefined) return [];
  if (findProgram('taskset') === undefined) {
    const message = 'CPUSET needs the program "taskset", which this host does not have';
    return [
      { ...issueAt(config, 'CPUSET', message, 'install it: apt install util-linux'), code: 'QEMU_NOT_INSTALLED' },
    ];
  }
  const online = readTextIfExists('/sys/devices/system/cpu/online')?.trim();
  const missing = online === undefined ? [] : missingCpus(wanted, online);
  if (missing.length === 0) return [];
  const isNone = missing.length === cpusOf(wanted).length;
  const message = isNone
    ? `CPUSET ${wanted} names no processor of this host, which has ${online}`
    : `CPUSET ${wanted} also names processors that this host does not have; it has ${online}`;
  return [{ ...issueAt(config, 'CPUSET', message), severity: isNone ? 'error' : 'warning' }];
}

/** Numbers in one list of processors that another one does not have, such as `0-3,8`. Pure. */
export function missingCpus(wanted: string, present: string): number[] {
  const there = new Set(cpusOf(present));
  return cpusOf(wanted).filter((cpu) => !there.has(cpu));
}

function cpusOf(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
  });
}
