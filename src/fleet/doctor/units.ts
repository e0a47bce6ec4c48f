import type { MachineConfig } from '../../config/types.ts';
import type { Paths } from '../../system/paths.ts';
import { isSystemdBooted, isUnitInstalled, systemctl } from '../../system/systemd.ts';
import { stopTimeoutSeconds } from '../units/limits.ts';
import { unitName } from '../units/unit-text.ts';
import type { Finding } from './finding.ts';

/** Whether systemd will start and stop the registered machines as their files say. */
export async function judgeUnits(
  configs: readonly MachineConfig[],
  paths: Paths,
  signal: AbortSignal,
): Promise<Finding[]> {
  if (paths.scope !== 'system' || !isSystemdBooted()) return [];
  if (!isUnitInstalled('qemu@.service')) {
    return configs.some(({ autostart }) => autostart)
      ? [
          finding(
            'error',
            'The units are not installed',
            'nothing starts machines at boot or stops them at shutdown',
            'qemu-init install',
          ),
        ]
      : [];
  }
  const findings: Finding[] = [];
  const { stdout: enabled } = await systemctl(['is-enabled', 'qemu.target'], { signal });
  if (enabled.trim() !== 'enabled' && configs.some(({ autostart }) => autostart)) {
    const detail = `qemu.target is "${enabled.trim()}": no machine starts at boot`;
    findings.push(finding('error', 'Machines do not start at boot', detail, 'systemctl enable qemu.target'));
  }
  for (const config of configs) findings.push(...(await judgeTimeout(config, signal)));
  return findings;
}

async function judgeTimeout(config: MachineConfig, signal: AbortSignal): Promise<Finding[]> {
  const unit = unitName(config.longName);
  const { stdout } = await systemctl(['show', '--value', '--property=TimeoutStopUSec', unit], { signal });
  const needed = stopTimeoutSeconds(config);
  if (spanSeconds(stdout.trim()) >= needed) return [];
  const detail = `systemd kills ${unit} after ${stdout.trim()}, but its stop may take ${needed} s`;
  return [
    {
      ...finding(
        'error',
        'The unit gives too little time to stop',
        detail,
        'systemctl daemon-reload, or remove your own drop-in',
      ),
      machine: config.longName,
    },
  ];
}

/** Seconds of a time span as systemctl prints it, such as `2min 30s`: systemd.time(7). */
export function spanSeconds(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  const units: Readonly<Record<string, number>> = {
    w: 604_800,
    d: 86_400,
    h: 3600,
    min: 60,
    s: 1,
    ms: 0.001,
    us: 0.000_001,
  };
  return [...text.matchAll(/([\d.]+)([a-z]+)/g)].reduce((sum, [, number, unit = '']) => {
    return sum + Number(number) * (units[unit] ?? 0);
  }, 0);
}

function finding(severity: Finding['severity'], title: string, detail: string, fix: string): Finding {
  return { severity, machine: undefined, title, detail, fix };
}
