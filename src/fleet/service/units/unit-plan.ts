import { dirname } from 'node:path';
import type { MachineConfig } from '../../../config/types.ts';
import { virtiofsShares } from '../../../machine/argv/host-devices/helper-fds.ts';
import { type Closed, closedTo } from '../../../machine/check/used-paths.ts';
import type { MachineRef } from '../../../machine/context.ts';
import type { StopSettings } from '../../../machine/run/stop-settings.ts';
import { type MachineOrder, orderMachines } from '../../schedule/unit-order.ts';
import { backupUnits } from './backup-units.ts';
import { hardeningLines } from './hardening.ts';
import { lateDropIns } from './late.ts';
import { startTimeoutSeconds, stopTimeoutSeconds } from './limits.ts';
import { resourceLines } from './resource-lines.ts';
import { longestStopSeconds, type ShutdownTarget, shutdownDropIns } from './shutdown.ts';
import { stopCommands } from './stop-commands.ts';
import { type UnitLine, unitName, unitPath, unitText, unitWords } from './unit-text.ts';

/** A machine as the units need it. */
export interface PlannedMachine {
  readonly target: Pick<MachineRef, 'longName' | 'shortName' | 'configPath'>;
  readonly config: MachineConfig;
  /** Where links among its images lead. */
  readonly realFiles?: readonly string[] | undefined;
  /** Files that they rest on, and only read. */
  readonly readFiles?: readonly string[] | undefined;
}

/** A file that the generator writes. */
export interface UnitFile {
  /** Below the generator's folder. */
  readonly path: string;
  readonly text: string;
}

export interface UnitOptions {
  /** How many machines may start at the same time. */
  readonly lanes: number;
  /** Long names of machines that must start at boot, but whose files have mistakes. */
  readonly broken?: readonly string[] | undefined;
  /** Long names of machines in use that are also another machine's short name: their units must not change. */
  readonly taken?: readonly string[] | undefined;
  /**
   * Machines that run without a usable file or a line in the registry, and how they were to be stopped at their start.
   */
  readonly running?: readonly { readonly longName: string; readonly stop: StopSettings }[] | undefined;
  /** Missing files of registered machines. */
  readonly missing?: readonly string[] | undefined;
  /** Files of machines that have mistakes: watched too, since they will be corrected. */
  readonly faulty?: readonly string[] | undefined;
  /** Text of the installed qemu@.service. */
  readonly unit?: string | undefined;
  /** The targets that end this host. */
  readonly shutdown?: readonly ShutdownTarget[] | undefined;
}

/** Restarts are limited by {@link recordCrash} instead. */
const RESTART_PAUSE_SECONDS = 5;

/** Name of the drop-in that a registered machine has. */
export const MACHINE_DROP_IN = '50-machine.conf';

/** Drop-ins for the units of the registered machines. Pure. */
export function planUnits(machines: readonly PlannedMachine[], options: UnitOptions): UnitFile[] {
  const order = orderOf(machines);
  const closed = closedTo(machines);
  return [
    ...machines.map((machine, index) =>
      machineDropIn(machine, {
        order: order.get(machine.target.longName),
        lane: laneOf(machine.config, index, options.lanes),
        closed,
        stop: stopCommands(options.unit ?? '', machine.config),
      }),
    ),
    ...(options.running ?? []).map(runningDropIn),
    ...machines.filter(({ target }) => !options.taken?.includes(target.shortName ?? '')).flatMap(shortNameDropIn),
    ...targetDropIn(machines, options.broken ?? []),
    ...pathDropIn(machines, [...(options.missing ?? []), ...(options.faulty ?? [])]),
    ...lateDropIns(options.missing ?? []),
    ...backupUnits(machines),
    ...shutdownDropIns(options.shutdown ?? [], longestStopSeconds(machines, order)),
  ];
}

/** The order of machines, by long name. */
export function orderOf(machines: readonly PlannedMachine[]): ReadonlyMap<string, MachineOrder> {
  return orderMachines(
    machines.map(({ target, config }) => ({ ...target, bootOrder: config.bootOrder, requires: config.requires })),
  );
}

/** What the unit of a machine depends on, in addition to the machine. */
interface MachinePlace {
  readonly order: MachineOrder | undefined;
  readonly lane: string;
  readonly closed: Closed;
  readonly stop: readonly UnitLine[];
}

function machineDropIn(
  { target, config, realFiles, readFiles }: PlannedMachine,
  { order, lane, closed, stop }: MachinePlace,
): UnitFile {
  const { longName, configPath } = target;
  const requires = (order?.requires ?? []).map(unitName).join(' ');
  const after = (order?.after ?? []).map(unitName).join(' ');
  const mounts = [...new Set([config.dir, ...filesOf(config).map((path) => dirname(path))])].filter(isNoDevice);
  const devices = filesOf(config).filter((path) => !isNoDevice(path));
  const description = config.description === '' ? '' : `: ${unitWords(config.description)}`;
  const text = unitText(`Made by qemu-generator of "${configPath}"`, {
    Unit: [
      ['Description', `QEMU machine ${longName}${description}`],
      ['SourcePath', configPath.replaceAll('%', '%%')],
      ['RequiresMountsFor', mounts.map(unitPath).join(' ')],
      // Not Requires=, by which the end of a machine, and its restart, would stop those that require it.
      line('Wants', requires),
      line('After', after),
    ],
    Service: [
      ['Environment', `QEMU_INIT_LANE=${lane}`],
      pair('TimeoutStartSec', startTimeoutSeconds(config)),
      pair('TimeoutStopSec', stopTimeoutSeconds(config)),
      ...(config.bootDelaySeconds === 0 ? [] : [bootDelay(config.bootDelaySeconds)]),
      ...stop,
      ...(config.restart === 'no'
        ? []
        : [line('Restart', config.restart), pair('RestartSec', RESTART_PAUSE_SECONDS), noRetry(longName)]),
      ...hardeningLines({ config, realFiles, readFiles }, closed),
      ...resourceLines(config),
      ...(config.pci.length > 0 ? [line('LimitMEMLOCK', 'infinity')] : []),
      ...(config.nics.some(({ net }) => net === 'passt') ? PASST : []),
      ...(virtiofsShares(config).length > 0 ? VIRTIOFSD : []),
      ...devices.map((path) => line('DeviceAllow', `${path.replaceAll('%', '%%')} rw`)),
    ],
  });
  return { path: `${unitName(longName)}.d/${MACHINE_DROP_IN}`, text };
}

/** The time to stop of a run whose file is gone: systemd would kill it after the shorter time of the bare unit. */
function runningDropIn({ longName, stop }: { readonly longName: string; readonly stop: StopSettings }): UnitFile {
  const text = unitText(`Made by qemu-generator of the run of ${longName}`, {
    Service: [pair('TimeoutStopSec', stopTimeoutSeconds(stop))],
  });
  return { path: `${unitName(longName)}.d/50-running.conf`, text };
}

/**
 * The unit of a short name would start the machine in the wrong place: it reports the right one before it starts
 * anything. The unit is otherwise complete: if a machine of that long name runs nevertheless, it is stopped like any
 * other.
 */
function shortNameDropIn({ target: { shortName, longName } }: PlannedMachine): UnitFile[] {
  if (shortName === undefined || shortName === longName) return [];
  const message = `Units are named after long names of machines; use ${unitName(longName)}`;
  const text = unitText(`Made by qemu-generator: ${shortName} is the short name of ${longName}`, {
    Unit: [['Description', `Short name of QEMU machine ${longName}`]],
    Service: [['ExecStartPre', `/bin/sh -c 'echo "<3>${message}" >&2; exit 6'`]],
  });
  return [{ path: `${unitName(shortName)}.d/50-short-name.conf`, text }];
}

/** What systemd starts with `qemu.target`, and so at boot. */
export function targetDropIn(machines: readonly PlannedMachine[], broken: readonly string[]): UnitFile[] {
  // Boot starts only registered machines.
  const registered = machines.filter(({ target }) => target.shortName !== undefined);
  const good = registered.filter(({ config }) => config.autostart).map(({ target }) => target.longName);
  const wanted = [...good, ...broken].map(unitName);
  if (wanted.length === 0) return [];
  const text = unitText('Made by qemu-generator: machines with AUTOSTART=on', {
    Unit: wanted.map((name) => line('Wants', name)),
  });
  return [{ path: 'qemu.target.d/50-autostart.conf', text }];
}

function pathDropIn(machines: readonly PlannedMachine[], others: readonly string[]): UnitFile[] {
  const paths = [...machines.map(({ target }) => target.configPath), ...others];
  if (paths.length === 0) return [];
  const text = unitText('Made by qemu-generator', {
    Path: paths.map((path) => line('PathChanged', path.replaceAll('%', '%%'))),
  });
  return [{ path: 'qemu-reload.path.d/50-machines.conf', text }];
}

/** A machine with hooks has its own lane: its hooks may start other machines, which must not have to wait for it. */
function laneOf(config: MachineConfig, index: number, lanes: number): string {
  const hasHooks = config.preCommand.length + config.postCommand.length > 0;
  return hasHooks ? `of-${config.longName}` : String(index % lanes);
}

/** At boot only: until it is done, systemctl(1) reports `starting`. */
function bootDelay(seconds: number): UnitLine {
  const wait = `case $$(systemctl is-system-running) in initializing|starting) exec sleep ${seconds};; esac`;
  return ['ExecStartPre', `/bin/sh -c '${wait}'`];
}

/**
 * A start that fails due to mistakes in files would fail again: the unit is then stopped, which keeps it failed.
 * RestartPreventExitStatus= cannot do that, since it is about QEMU itself.
 */
function noRetry(longName: string): UnitLine {
  const note = `/run/qemu-init/.failures/${longName}.json`;
  const stop = `systemctl --no-block --job-mode=ignore-dependencies stop ${unitName(longName)}`;
  return [
    'ExecStopPost',
    `+/bin/sh -c 'if grep -Eqs "QEMU_(CONFIG_INVALID|MACHINE_UNKNOWN)" ${note}; then ${stop}; fi'`,
  ];
}

/** passt(1) locks itself into namespaces and an empty root folder. */
const PASST: readonly UnitLine[] = [
  ['RestrictNamespaces', 'user ipc mnt pid uts'],
  ['SystemCallFilter', '@mount'],
];

/** virtiofsd locks itself into the folder that it shares, as root of a user namespace. */
const VIRTIOFSD: readonly UnitLine[] = [
  ['RestrictNamespaces', 'user'],
  ['SystemCallFilter', 'chroot'],
];

function filesOf(config: MachineConfig): string[] {
  const cdroms = config.cdroms.filter(({ optional }) => !optional);
  const files = [...config.disks, ...cdroms].map(({ file }) => file);
  return [...files, config.kernel, config.initrd].flatMap((path) => (path === undefined ? [] : [path]));
}

function isNoDevice(path: string): boolean {
  return path !== '/dev' && !path.startsWith('/dev/');
}

function line(key: string, value: string): UnitLine {
  return value === '' ? undefined : [key, value];
}

function pair(key: string, value: number): UnitLine {
  return [key, String(value)];
}
