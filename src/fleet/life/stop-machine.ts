import type { MachineRef } from '../../machine/context.ts';
import { type StopOptions, type StopResult, stopMachine } from '../../machine/stop/stop.ts';
import { isHostStopping } from '../../system/services/host-stopping.ts';
import type { Machines } from '../machines.ts';
import type { FleetParts } from './parts.ts';

/** Stops a machine, and tells the service manager. @throws {QemuError} as `Fleet.stop`. */
export async function stopOne(
  { machines, services }: FleetParts,
  target: MachineRef,
  options: StopOptions,
): Promise<StopResult> {
  const { host } = machines;
  const settings = machines.stopSettings(target);
  if (machines.inspect(target).config === undefined && machines.isAlive(target)) {
    const message = `"${target.configPath}" cannot be used: stopping with the settings of the last start`;
    host.notify({ level: 'warning', machine: target.longName, message });
  }
  const settle = services?.stopping(target);
  const isAsked = options.force !== true && options.noKill !== true && options.save === undefined;
  const save = isAsked ? await isToBeSaved(machines, target) : options.save;
  const result = await stopMachine(host, target, settings, { ...options, save });
  await settle?.(result.rung);
  return result;
}

/** Whether a stop now is one by a shutdown of the host, at which the machine is to be saved (ONSHUTDOWN=save). */
export async function isToBeSaved(machines: Machines, target: MachineRef): Promise<boolean> {
  if (machines.stopSettings(target).onShutdown !== 'save' || !(await isHostStopping())) return false;
  const { clusterResources, resourceOf } = await import('../cluster/cib.ts');
  // Another node would not find the saved state, and would start the guest as after a power cut.
  return resourceOf(clusterResources(machines.host.paths), target) === undefined;
}
