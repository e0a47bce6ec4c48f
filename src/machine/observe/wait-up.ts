import { delay } from '../../base/abort.ts';
import { errorCode, QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readBanner } from '../../system/ports.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { openAgentOf } from '../control/agent.ts';
import { locate } from '../run/locate.ts';
import { waitForGoal } from './wait.ts';

/** What showed that a guest is up. */
export type UpSign = 'agent' | 'ssh' | 'console';

/** How a guest shows that it is up. */
export interface UpOptions {
  /** Where this host reaches the guest's SSH server. */
  readonly ssh?: { readonly host: string; readonly port: number } | undefined;
  /** What it prints on its console then. */
  readonly console: RegExp;
  /** Its agent answers before it is: cloud-init is at work. */
  readonly withAgent: boolean;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

const PAUSE_MS = 500;

/**
 * Waits until the guest of a running machine is up: whatever shows it first.
 *
 * @throws {QemuError} `QEMU_TIMEOUT`, `QEMU_NOT_RUNNING` when the machine ends, `QEMU_CONFIG_INVALID` when the machine
 * has nothing to show it by, `QEMU_ABORTED`.
 */
export async function waitUntilUp(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  options: UpOptions,
): Promise<UpSign> {
  const { ssh, deadline } = options;
  const found = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, found.signal]) : found.signal;
  const ways: Promise<UpSign>[] = [];
  if (config.serial) {
    ways.push(
      waitForGoal(host, target, { kind: 'console', pattern: options.console }, deadline, signal).then(() => 'console'),
    );
  }
  if (ssh)
    ways.push(
      poll(target, deadline, signal, 'ssh', async () => (await readBanner(ssh.host, ssh.port)).startsWith('SSH-')),
    );
  if (config.agent && options.withAgent) {
    ways.push(poll(target, deadline, signal, 'agent', () => agentAnswers(host, target, signal)));
  }
  if (ways.length === 0) {
    throw new QemuError('QEMU_CONFIG_INVALID', `Machine "${target.longName}" has no way to show that its guest is up`, {
      hint: 'it needs SERIAL=on, QGA=on, or a forwarded port of its SSH server',
    });
  }
  try {
    return await Promise.any(ways);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    found.abort();
    await Promise.allSettled(ways);
  }
}

async function poll(
  target: MachineRef,
  deadline: number,
  signal: AbortSignal,
  sign: UpSign,
  look: () => Promise<boolean>,
): Promise<UpSign> {
  for (;;) {
    if (await look()) return sign;
    if (locate(target.files).kind !== 'alive') throw notRunning(target);
    const left = deadline - performance.now();
    if (left <= 0) throw new QemuError('QEMU_TIMEOUT', `The guest of "${target.longName}" was not up in time`);
    await delay(Math.min(PAUSE_MS, left), signal);
  }
}

async function agentAnswers(host: MachineContext, target: MachineRef, signal: AbortSignal): Promise<boolean> {
  try {
    (await openAgentOf(host, target, { signal })).close();
    return true;
  } catch (error) {
    if (signal.aborted || errorCode(error) === 'QEMU_NOT_PERMITTED') throw error;
    return false;
  }
}
