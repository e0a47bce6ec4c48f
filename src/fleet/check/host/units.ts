import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Problem } from '../../../base/problem.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { readTextIfExists } from '../../../system/files/files.ts';
import type { Paths } from '../../../system/paths.ts';
import { shutdownTargets, spanSeconds } from '../../../system/services/shutdown-targets.ts';
import { isSystemdBooted, isUnitInstalled, systemctl } from '../../../system/services/systemd.ts';
import { COMMON_NODE } from '../../install/interpreter.ts';
import { collectItems } from '../../install/items.ts';
import { installedLayouts } from '../../install/layout.ts';
import { stopTimeoutSeconds } from '../../service/units/limits.ts';
import { longestStopSeconds } from '../../service/units/shutdown.ts';
import { MACHINE_DROP_IN, orderOf, type PlannedMachine } from '../../service/units/unit-plan.ts';
import { unitName } from '../../service/units/unit-text.ts';
import { checkInterpreter } from './interpreter.ts';

export interface UnitSurroundings {
  readonly paths: Paths;
  /** Folder of the package. */
  readonly source: string;
}

/** Checks that the host's init system starts and stops the registered machines as configured. */
export async function checkUnits(
  machines: readonly PlannedMachine[],
  { paths, source }: UnitSurroundings,
  signal: AbortSignal,
): Promise<Problem[]> {
  if (paths.scope !== 'system') return [];
  const configs = machines.map(({ config }) => config);
  const wanted = configs.some(({ autostart }) => autostart);
  if (!isSystemdBooted()) return [...(wanted ? checkInitScript() : []), ...(await checkInterpreter(source, signal))];
  if (!isUnitInstalled('qemu@.service')) {
    const detail = 'nothing starts machines at boot or stops them at shutdown';
    return wanted ? [finding('error', 'The units are not installed', detail, 'qemu-init install')] : [];
  }
  const findings = [...outdatedUnits(source), ...(await checkInterpreter(source, signal))];
  const { stdout: enabled } = await systemctl(['is-enabled', 'qemu.target'], { signal });
  if (wanted && enabled.trim() !== 'enabled') {
    const detail = `qemu.target is "${enabled.trim()}": no machine starts at boot`;
    const unmask = enabled.trim().startsWith('masked') ? 'systemctl unmask qemu.target; ' : '';
    findings.push(finding('error', 'Machines do not start at boot', detail, `${unmask}systemctl enable qemu.target`));
  }
  return [
    ...findings,
    ...configs.flatMap(checkAutostart),
    ...(await checkShutdown(machines, signal)),
    ...(await checkMachineUnits(configs, signal)),
  ];
}

/** Checks that even if all guests hang, the last one still gets its time before systemd forces the shutdown. */
async function checkShutdown(machines: readonly PlannedMachine[], signal: AbortSignal): Promise<Problem[]> {
  const needed = longestStopSeconds(machines, orderOf(machines));
  const findings: Problem[] = [];
  for (const { name } of shutdownTargets()) {
    const { stdout } = await systemctl(['show', '--value', '--property=JobTimeoutUSec', name], { signal });
    const span = stdout.trim();
    if (needed === 0 || spanSeconds(span) >= needed) continue;
    const detail = `systemd forces ${name} after ${span}, but stopping all machines may take ${needed} s: the last guests may not be asked to shut down`;
    const hint = `systemctl daemon-reload; if that does not help: systemctl edit ${name}, with JobTimeoutSec=${needed} in [Unit], or set shorter STOPDELAYs`;
    findings.push(finding('warning', 'The host allows too little time to stop', detail, hint));
  }
  return findings;
}

/** Where links, by `systemctl enable` or by hand, make systemd start units at boot: systemd.unit(5). */
const UNIT_DIR = '/etc/systemd/system';

/** Boot starts machines with AUTOSTART=on, and units that an administrator has linked: both should agree. */
function checkAutostart({ longName, autostart }: MachineConfig): Problem[] {
  const unit = unitName(longName);
  const wants = existsSync(UNIT_DIR) ? readdirSync(UNIT_DIR).filter((name) => name.endsWith('.wants')) : [];
  const link = wants
    .map((name) => `${UNIT_DIR}/${name}/${unit}`)
    .find((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  if (link === undefined || autostart) return [];
  const detail = `"${link}" starts it at boot, though AUTOSTART is off`;
  const hint = `qemu-init enable ${longName}; or, to keep it from starting: systemctl disable ${unit}`;
  return [{ ...finding('warning', 'systemd and AUTOSTART contradict each other', detail, hint), machine: longName }];
}

function checkInitScript(): Problem[] {
  if (existsSync('/etc/init.d/qemu-init')) return [];
  const detail = 'there is neither systemd nor the script /etc/init.d/qemu-init: nothing starts machines at boot';
  return [finding('error', 'The init script is not installed', detail, 'qemu-init install')];
}

/** Units on the host that differ from those of this version. A copy in /etc is the administrator's. */
function outdatedUnits(source: string): Problem[] {
  const layout = installedLayouts(source).find(({ unitDir }) => existsSync(`${unitDir}/qemu@.service`));
  if (layout === undefined) return [];
  const other = collectItems({ source, layout, node: COMMON_NODE, initSystem: 'systemd' })
    .filter((item) => item.kind === 'file' && dirname(item.path) === layout.unitDir)
    .filter((item) => item.kind === 'file' && item.text !== readTextIfExists(item.path))
    .map(({ path }) => path);
  if (other.length === 0) return [];
  const detail = `${other.join(', ')}: different from those of this version of qemu-init`;
  return [
    finding('warning', 'Units are not current', detail, 'qemu-init install; for your own changes: systemctl edit'),
  ];
}

async function checkMachineUnits(configs: readonly MachineConfig[], signal: AbortSignal): Promise<Problem[]> {
  if (configs.length === 0) return [];
  const units = configs.map(({ longName }) => unitName(longName));
  const properties = '--property=Id,LoadState,TimeoutStopUSec,DropInPaths,NeedDaemonReload';
  const { stdout } = await systemctl(['show', properties, ...units], { signal });
  const shown = new Map(
    stdout
      .split(/\n\n+/)
      .map(propertiesOf)
      .map((each) => [each.get('Id'), each]),
  );
  return configs.flatMap((config) => checkUnit(config, shown.get(unitName(config.longName)) ?? new Map()));
}

function checkUnit(config: MachineConfig, shown: ReadonlyMap<string, string>): Problem[] {
  const unit = unitName(config.longName);
  const machine = config.longName;
  const reload = 'systemctl daemon-reload';
  if (shown.get('LoadState') === 'masked') {
    const detail = `an administrator has disabled the start of ${unit}`;
    return [{ ...finding('error', 'The unit is masked', detail, `systemctl unmask ${unit}`), machine }];
  }
  if (shown.get('NeedDaemonReload') === 'yes' || !shown.get('DropInPaths')?.includes(MACHINE_DROP_IN)) {
    const detail = `systemd has not read the settings of ${unit} from "${config.path}"`;
    return [{ ...finding('warning', 'The unit is not current', detail, reload), machine }];
  }
  const span = shown.get('TimeoutStopUSec') ?? '';
  const needed = stopTimeoutSeconds(config);
  if (spanSeconds(span) >= needed) return [];
  const detail = `systemd kills ${unit} after ${span}, but its stop may take ${needed} s`;
  const hint = `${reload}, or remove your drop-in`;
  return [{ ...finding('error', 'The unit allows too little time to stop', detail, hint), machine }];
}

function propertiesOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]));
}

function finding(severity: Problem['severity'], message: string, detail: string, hint: string): Problem {
  return { severity, machine: undefined, message, detail, hint };
}
