import type { MachineConfig } from '../../../config/types.ts';
import type { UnitLine } from './unit-text.ts';

/**
 * The commands that stop the unit of a machine, without the sandbox of the unit: systemd sets that up again for each
 * command, which costs a host that stops fifty machines several seconds. They run only qemu-init itself, so a machine
 * with PRESTOP or POSTSTOP keeps the commands of the bare unit, in its sandbox.
 *
 * @param unit text of the installed qemu@.service, systemd.syntax(7).
 */
export function stopCommands(unit: string, config: Pick<MachineConfig, 'preStop' | 'postStop'>): UnitLine[] {
  if (config.preStop.length + config.postStop.length > 0) return [];
  const commands = [...unit.matchAll(/^(ExecStop|ExecStopPost)=(.+)$/gm)];
  return [...new Set(commands.map(([, key = '']) => key))].flatMap((key): UnitLine[] => [
    [key, ''],
    ...commands
      .filter(([, name]) => name === key)
      .map(([, , command = '']): UnitLine => [key, outsideSandbox(command)]),
  ]);
}

/**
 * systemd.service(5), "Special executable prefixes": `+` runs a command with full privileges, and without the
 * namespaces.
 */
export function outsideSandbox(command: string): string {
  return /^[@:|-]*[+!]/.test(command) ? command : `+${command}`;
}
