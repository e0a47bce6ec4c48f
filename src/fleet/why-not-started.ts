import { ConfigError, LaunchError, QemuError } from '../errors.ts';
import type { Target } from '../machine/host.ts';
import { checkMachine } from './check.ts';
import type { Fleet } from './fleet.ts';
import { sharedImages } from './shared-images.ts';

/**
 * The error of a start, with all that is in the way of it and not the first only: what `check` tells of the machine.
 *
 * @param cause what the start failed with; undefined when it was not tried.
 * @returns the cause itself when nothing more is known.
 */
export async function whyNotStarted(fleet: Fleet, target: Target, cause?: unknown): Promise<unknown> {
  if (cause instanceof LaunchError) return imageInUse(fleet, target, cause) ?? cause;
  const issues = cause === undefined || isMistake(cause) ? await checkMachine(fleet, target) : [];
  if (!issues.some(({ severity }) => severity === 'error')) return cause;
  return new ConfigError(`Cannot start machine "${target.longName}"`, issues);
}

/** Whether a file is to blame, the machine's own or that of one that it requires. */
function isMistake(cause: unknown): boolean {
  if (cause instanceof ConfigError) return true;
  return cause instanceof QemuError && ['QEMU_CONFIG_INVALID', 'QEMU_MACHINE_UNKNOWN'].includes(cause.code);
}

/** QEMU locks the images that it writes to; which machine has the lock, only we know. */
function imageInUse(fleet: Fleet, target: Target, cause: LaunchError): ConfigError | undefined {
  if (!/Failed to get ".*" lock/.test(cause.output)) return undefined;
  const running = fleet.listWithRunning().filter((each) => fleet.isAlive(each));
  const configs = running.flatMap((each) => {
    const { config } = fleet.inspect(each);
    return config === undefined ? [] : [[each.longName, config] as const];
  });
  const { config } = fleet.inspect(target);
  const issues = config === undefined ? [] : sharedImages(config, new Map(configs));
  if (issues.length === 0) return undefined;
  const message = `Cannot start machine "${target.longName}" while another uses its image`;
  return new ConfigError(message, issues, { cause });
}
