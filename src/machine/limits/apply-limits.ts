import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import type { Paths } from '../../system/paths.ts';
import { run } from '../../system/process/exec.ts';
import { reloadSystemd, systemctl, unitOf } from '../../system/services/systemd.ts';
import { userManagerOf } from '../../system/services/user-systemd.ts';
import { resourceProperties } from './resource-properties.ts';

/** Keys of what the unit or scope of a machine may use. */
export const LIMIT_KEYS = ['LIMIT_CPU', 'LIMIT_MEMORY', 'LIMIT_IO', 'CPUSET'] as const;

/** Whether a unit is of a kind that has the limits of a machine: its own, or the scope of a start by hand. Pure. */
export function canLimit(unit: string | undefined): boolean {
  return unit !== undefined && /^(?:qemu@.*\.service|run-.*\.scope)$/.test(unit);
}

/**
 * Gives a running QEMU the limits of a configuration.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` with what systemd or taskset says.
 */
export async function applyLimits(
  paths: Paths,
  config: Pick<MachineConfig, 'limits' | 'disks'>,
  pid: number,
  signal?: AbortSignal,
): Promise<void> {
  const unit = unitOf(pid) ?? '';
  if (canLimit(unit)) {
    // What is set for a unit would outlive its file: the generator has read that again.
    if (unit.endsWith('.service')) await reloadSystemd({ signal, manager: userManagerOf(paths) });
    else await limitScope(unit, config, signal);
  }
  const cpus = config.limits?.cpuSet ?? readTextIfExists('/sys/devices/system/cpu/online')?.trim();
  if (cpus !== undefined) await checked('taskset', ['--all-tasks', '--cpu-list', '--pid', cpus, String(pid)], signal);
}

async function limitScope(
  unit: string,
  config: Pick<MachineConfig, 'limits' | 'disks'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const args = ['set-property', '--runtime', unit, ...scopeAssignments(config)];
  const uid = process.getuid?.() ?? 0;
  const manager = uid === 0 ? undefined : (process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${uid}`);
  const { exitCode, stderr } = await systemctl(args, { signal, manager });
  if (exitCode !== 0) throw new QemuError('QEMU_COMMAND_FAILED', `systemd did not limit "${unit}": ${stderr.trim()}`);
}

/** What sets all limits anew, also those that there are no longer. Pure. */
export function scopeAssignments(config: Pick<MachineConfig, 'limits' | 'disks'>): string[] {
  const limits = resourceProperties(config).filter(({ name }) => name !== 'AllowedCPUs');
  return [
    ...['CPUQuota=', 'MemoryMax=infinity', 'MemorySwapMax=infinity', 'IOReadBandwidthMax=', 'IOWriteBandwidthMax='],
    ...limits.map(({ name, place, value }) => `${name}=${place === undefined ? '' : `${place} `}${value}`),
  ];
}

async function checked(program: string, args: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const { exitCode, stderr } = await run(program, args, { signal });
  if (exitCode !== 0) throw new QemuError('QEMU_COMMAND_FAILED', stderr.trim().split('\n')[0] || `${program} failed`);
}
