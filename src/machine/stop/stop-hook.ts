import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { HOOK_TIMEOUT_MS, runHook } from '../hooks.ts';

/** What the hooks of a stop need of a configuration. */
export type StopHookConfig = Pick<MachineConfig, 'preStop' | 'postStop' | 'dir'>;

/** How long they may take. */
export interface StopHookOptions {
  /** When the guest is to be down, on the clock of `performance.now()`. */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For POSTSTOP: the guest is not off, but saved. */
  readonly isSaved?: boolean | undefined;
  /** The same: it runs elsewhere. */
  readonly isMoved?: boolean | undefined;
}

/** Milliseconds until the deadline. */
export function leftMs({ deadline = Number.POSITIVE_INFINITY }: StopHookOptions): number {
  return Math.max(0, deadline - performance.now());
}

/** What POSTSTOP has when the deadline has passed: the guest is down, and only the cleaning up is left. */
const LATE_HOOK_MS = 2_000;

/**
 * Runs PRESTOP or POSTSTOP. One that fails is a warning: a stop that a broken script could prevent would block the
 * shutdown of the host.
 *
 * @throws {QemuError} `QEMU_ABORTED` when PRESTOP is interrupted.
 */
export async function runStopHook(
  host: MachineContext,
  target: MachineRef,
  config: StopHookConfig,
  hook: 'PRESTOP' | 'POSTSTOP',
  options: StopHookOptions,
  pid?: number,
): Promise<void> {
  const { signal } = options;
  const isBefore = hook === 'PRESTOP';
  const left = isBefore ? leftMs(options) / 2 : Math.max(LATE_HOOK_MS, leftMs(options));
  const command = isBefore ? config.preStop : config.postStop;
  const warn = (message: string): void => host.notify({ level: 'warning', machine: target.longName, message });
  if (left === 0 && command.length > 0) return warn(`${hook} is left out: the deadline has passed`);
  try {
    await runHook(host, target, hook, command, {
      cwd: config.dir,
      pid,
      reason: isBefore ? undefined : reasonOf(options),
      timeoutMs: Math.min(Math.ceil(left / 100) * 100, HOOK_TIMEOUT_MS),
      signal,
    });
  } catch (error) {
    if (signal?.aborted && isBefore) throw error;
    warn(error instanceof Error ? error.message : String(error));
  }
}

function reasonOf({ isSaved, isMoved }: StopHookOptions): 'saved' | 'moved' | 'stopped' {
  if (isMoved === true) return 'moved';
  return isSaved === true ? 'saved' : 'stopped';
}
