import type { MachineConfig } from '../../config/types.ts';
import { findProgram, run } from '../../system/process/exec.ts';
import { hasCapability } from '../../system/process/process-rights.ts';
import { isSystemdBooted, unitOf } from '../../system/services/systemd.ts';
import type { MachineContext } from '../context.ts';
import { type ResourceProperty, resourceProperties } from './resource-properties.ts';

/** What keeps a machine within its limits, in front of command lines. */
export interface LimitPrefix {
  /** In front of QEMU alone: a scope of systemd, which there is one of. */
  readonly scope: readonly string[];
  /** In front of QEMU and of the programs that it needs: the processors that they may use. */
  readonly pin: readonly string[];
}

type Limited = Pick<MachineConfig, 'longName' | 'limits' | 'disks' | 'pci'>;

/**
 * What a start of a machine runs its programs with. Its own unit has the limits already; everywhere else systemd makes a
 * scope for QEMU where it can. Limits never stop a start: those that have no effect are reported.
 */
export async function limitPrefix(
  { paths, notify }: Pick<MachineContext, 'paths' | 'notify'>,
  config: Limited,
  signal?: AbortSignal,
): Promise<LimitPrefix> {
  const pin = pinPrefix(config);
  const limits = scopeProperties(config);
  if (limits.length === 0 || unitOf('self')?.startsWith('qemu@') === true) return { scope: [], pin };
  const scope = scopePrefix(config.longName, limits, paths.scope === 'user' || process.getuid?.() !== 0);
  const problem = await whyNoScope(scope, signal);
  if (problem === undefined) return { scope, pin };
  notify({ level: 'warning', machine: config.longName, message: `${keysOf(config)} without effect: ${problem}` });
  return { scope: [], pin };
}

async function whyNoScope(
  [program = '', ...args]: readonly string[],
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (!isSystemdBooted()) return 'only systemd can limit a machine, and it does not run here';
  if (findProgram(program) === undefined) return `there is no program "${program}"`;
  const { exitCode, stderr } = await run(program, [...args, 'true'], { signal });
  return exitCode === 0 ? undefined : `${program}: ${stderr.trim().split('\n')[0] ?? ''}`;
}

/** Has the kernel run a program on some processors only, also where systemd has no say in that: taskset(1). */
export function pinPrefix({ limits, pci }: Pick<MachineConfig, 'limits' | 'pci'>): string[] {
  return [
    ...(limits?.cpuSet === undefined ? [] : ['taskset', '--cpu-list', limits.cpuSet]),
    // VFIO keeps all memory of the guest in its place, in the name of QEMU's user.
    ...(pci.length === 0 || !hasCapability('sys_resource') ? [] : ['prlimit', '--memlock=unlimited:unlimited']),
  ];
}

/** CPUSET is in effect without it. */
function scopeProperties(config: Limited): ResourceProperty[] {
  return resourceProperties(config).filter(({ name }) => name !== 'AllowedCPUs');
}

/** The program becomes the one behind it: systemd-run(1), "--scope". Pure. */
export function scopePrefix(longName: string, limits: readonly ResourceProperty[], isUser: boolean): string[] {
  return [
    'systemd-run',
    '--scope',
    ...(isUser ? ['--user'] : []),
    '--quiet',
    '--collect',
    '--no-ask-password',
    `--description=QEMU machine ${longName}`,
    ...limits.map(({ name, place, value }) => `--property=${name}=${place === undefined ? '' : `${place} `}${value}`),
    '--',
  ];
}

function keysOf({ limits }: Limited): string {
  const keys = [
    limits?.cpuPercent === undefined ? [] : ['LIMIT_CPU'],
    limits?.memoryBytes === undefined ? [] : ['LIMIT_MEMORY'],
    limits?.ioBytes === undefined ? [] : ['LIMIT_IO'],
  ].flat();
  return `${keys.join(', ')} ${keys.length === 1 ? 'is' : 'are'}`;
}
