import { ConfigError } from '../../base/config-error.ts';
import { LaunchError, QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineRef } from '../../machine/context.ts';
import type { Machines } from '../machines.ts';
import type { Outcome } from '../schedule/outcome.ts';
import { machineIssues } from '../storage.ts';
import { checkMachine } from './check-machine.ts';
import { whyNotLaunched } from './why-not-launched.ts';

type Configs = ReadonlyMap<string, MachineConfig>;

/**
 * The error of a start, with everything that prevents it and not only the first problem: what `check` reports about the
 * machine and its file, this host and the running machines.
 *
 * @param cause what the start failed with.
 * @param running result of {@link runningConfigs}, read once for many machines.
 * @returns the cause itself when nothing more is known.
 */
export async function whyNotStarted(
  machines: Machines,
  target: MachineRef,
  cause: unknown,
  running?: Configs,
): Promise<unknown> {
  if (cause instanceof LaunchError) {
    const { paths } = machines.host;
    return imageInUse(machines, target, cause) ?? whyNotLaunched(paths, target, machines.inspect(target).config, cause);
  }
  const issues = isMistake(cause) ? await checkMachine(machines, target, running ?? runningConfigs(machines)) : [];
  if (!issues.some(({ severity }) => severity === 'error')) return cause;
  return new ConfigError(`Cannot start machine "${target.longName}"`, issues);
}

/** The same for many starts. */
export async function explainFailures<T>(machines: Machines, outcomes: readonly Outcome<T>[]): Promise<Outcome<T>[]> {
  let running: Configs | undefined;
  const explained: Outcome<T>[] = [];
  for (const outcome of outcomes) {
    if (outcome.ok) {
      explained.push(outcome);
      continue;
    }
    running ??= runningConfigs(machines);
    explained.push({ ...outcome, error: await whyNotStarted(machines, outcome.target, outcome.error, running) });
  }
  return explained;
}

/** Whether a file is to blame, the machine's own or that of one that it requires. */
function isMistake(cause: unknown): boolean {
  // What did not answer would be waited for once more.
  if (cause instanceof ConfigError) return cause.code !== 'QEMU_TIMEOUT';
  return cause instanceof QemuError && ['QEMU_CONFIG_INVALID', 'QEMU_MACHINE_UNKNOWN'].includes(cause.code);
}

/** QEMU locks the images that it writes to; which machine has the lock, only we know. */
function imageInUse(machines: Machines, target: MachineRef, cause: LaunchError): ConfigError | undefined {
  if (!/Failed to get (?:shared )?".*" lock/.test(cause.output)) return undefined;
  const { config } = machines.inspect(target);
  const running = [...runningConfigs(machines).values()].map((each) => ({ config: each }));
  const issues = config === undefined ? [] : machineIssues(machines.host.paths, config, running);
  if (issues.length === 0) return undefined;
  const message = `Cannot start machine "${target.longName}" while another uses its image`;
  return new ConfigError(message, issues, { cause });
}

/** The configurations of the machines that run, by long name. */
function runningConfigs(machines: Machines): Configs {
  return machines.configs(machines.listWithRunning().filter((target) => machines.isAlive(target)));
}
