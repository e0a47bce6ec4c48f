import { ConfigError } from '../../base/config-error.ts';
import type { MachineRef } from '../../machine/context.ts';
import { dropMove } from '../../machine/move/refuse-moved.ts';
import { alreadyRunning, type StartResult } from '../../machine/start/already-running.ts';
import type { StartOptions } from '../../machine/start/launch-request.ts';
import { ensureOwnUser } from '../../machine/start/own-user.ts';
import { startMachine } from '../../machine/start/start.ts';
import { tellOpenRcStarted } from '../../system/services/openrc.ts';
import { tellLost } from '../look/lost.ts';
import { moveIntoUnit } from '../service/services.ts';
import type { FleetParts } from './parts.ts';

/** Starts a machine, as a unit where there is a service manager. @throws {QemuError} as `Fleet.start`. */
export async function startOne(
  { machines, services }: FleetParts,
  target: MachineRef,
  options: StartOptions,
): Promise<StartResult> {
  const result = await start({ machines, services }, target, options);
  if (result.outcome === 'already-running') tellLost(machines.host, target);
  return result;
}

async function start(
  { machines, services }: FleetParts,
  target: MachineRef,
  options: StartOptions,
): Promise<StartResult> {
  const { host } = machines;
  const { config, issues } = machines.inspect(target);
  if (!config) {
    const running = alreadyRunning(target);
    if (running) return running;
    throw new ConfigError(`Cannot start machine "${target.longName}"`, issues);
  }
  if (machines.monitorError && !machines.isAlive(target)) throw machines.monitorError;
  if (options.iKnow === true) await dropMove(host, target);
  for (const issue of issues) host.notify({ level: 'warning', machine: target.longName, message: issue.message });
  if (services) {
    // A unit may not change the users of the host.
    if (process.getuid?.() === 0) await ensureOwnUser(config);
    const message = 'systemd starts it; the steps are in the journal of its unit';
    host.notify({ level: 'debug', machine: target.longName, message });
    return services.start(host, target, { ...options, told: issues.map((issue) => issue.message) });
  }
  const onUp = ({ pid }: { readonly pid: number }): Promise<void> => moveIntoUnit(host, target, pid, options.signal);
  const result = await startMachine(host, target, config, { ...options, onUp });
  if (host.paths.scope === 'system') tellOpenRcStarted('qemu-init');
  return result;
}
