import type { MachineOrder } from '../../schedule/unit-order.ts';
import { startTimeoutSeconds, stopTimeoutSeconds } from './limits.ts';
import { resourceLines } from './resource-lines.ts';
import { MACHINE_DROP_IN, orderOf, type PlannedMachine, targetDropIn, type UnitFile } from './unit-plan.ts';
import { type UnitLine, unitName, unitText, unitWords } from './unit-text.ts';

const RESTART_PAUSE_SECONDS = 5;

/**
 * Drop-ins for the machines of a user, in the user's own service manager, which does not handle devices, mounts or the
 * shutdown of the host. Pure.
 *
 * @param broken long names of machines that must start, but whose files have mistakes.
 */
export function planUserUnits(machines: readonly PlannedMachine[], broken: readonly string[]): UnitFile[] {
  const order = orderOf(machines);
  return [
    ...machines.map((machine) => dropIn(machine, order.get(machine.target.longName))),
    ...targetDropIn(machines, broken),
  ];
}

function dropIn({ target, config }: PlannedMachine, order: MachineOrder | undefined): UnitFile {
  const { longName, configPath } = target;
  const description = config.description === '' ? '' : `: ${unitWords(config.description)}`;
  const names = (units: readonly string[] = []): string => units.map(unitName).join(' ');
  const text = unitText(`Made by qemu-user-generator of "${configPath}"`, {
    Unit: [
      ['Description', `QEMU machine ${longName}${description}`],
      ['SourcePath', configPath.replaceAll('%', '%%')],
      line('Wants', names(order?.requires)),
      line('After', names(order?.after)),
    ],
    Service: [
      ['TimeoutStartSec', String(startTimeoutSeconds(config))],
      ['TimeoutStopSec', String(stopTimeoutSeconds(config))],
      ...resourceLines(config),
      ...(config.restart === 'no'
        ? []
        : [line('Restart', config.restart), line('RestartSec', String(RESTART_PAUSE_SECONDS))]),
    ],
  });
  return { path: `${unitName(longName)}.d/${MACHINE_DROP_IN}`, text };
}

function line(key: string, value: string): UnitLine {
  return value === '' ? undefined : [key, value];
}
