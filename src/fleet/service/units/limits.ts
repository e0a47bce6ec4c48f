import type { MachineConfig } from '../../../config/types.ts';
import { HOOK_TIMEOUT_MS } from '../../../machine/hooks.ts';
import { planStop, stopLimitMs } from '../../../machine/stop/stop-plan.ts';

/** What the unit's limits depend on. */
export type LimitConfig = Pick<
  MachineConfig,
  | 'stopDelaySeconds'
  | 'stopMethod'
  | 'onShutdown'
  | 'preStop'
  | 'postStop'
  | 'preCommand'
  | 'postCommand'
  | 'bootDelaySeconds'
>;

/** Starting programs takes longer on a host that is going down with all its machines at once. */
const STOP_MARGIN_SECONDS = 60;

/** TimeoutStopSec= of qemu@.service itself, for a machine without a drop-in. */
export const UNIT_STOP_SECONDS = 150;

/** Seconds that a start may take without its hooks and its BOOTDELAY: what systemd waits before it gives up. */
const START_SECONDS = 1800;

/** Seconds for TimeoutStopSec=: longer than all rungs of the ladder and the hooks together can take. */
export function stopTimeoutSeconds(
  config: Pick<LimitConfig, 'stopDelaySeconds' | 'stopMethod' | 'onShutdown' | 'preStop' | 'postStop'>,
): number {
  const steps = planStop({
    method: config.stopMethod,
    stopDelayMs: config.stopDelaySeconds * 1000,
    noKill: false,
    force: false,
  });
  // Saving the state is tried for as long, before the guest is asked to shut down.
  const saveSeconds = config.onShutdown === 'save' ? config.stopDelaySeconds : 0;
  return saveSeconds + stopLimitMs(steps) / 1000 + hookSeconds(config.preStop, config.postStop) + STOP_MARGIN_SECONDS;
}

/** Seconds for TimeoutStartSec=. The start itself has shorter deadlines. */
export function startTimeoutSeconds(config: LimitConfig): number {
  return START_SECONDS + config.bootDelaySeconds + hookSeconds(config.preCommand, config.postCommand);
}

function hookSeconds(...commands: readonly (readonly string[])[]): number {
  return (commands.filter((command) => command.length > 0).length * HOOK_TIMEOUT_MS) / 1000;
}
