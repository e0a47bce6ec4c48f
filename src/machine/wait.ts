import { QemuError } from '../errors.ts';
import { delay } from '../system/delay.ts';
import { readTail, sizeOf } from '../system/log-file.ts';
import { canConnect } from '../system/ports.ts';
import { notRunning, type Target } from './host.ts';
import { locate } from './locate.ts';
import { describeState } from './run-state.ts';
import { askState, lookAtState } from './status.ts';

/** What can be waited for. */
export type Goal =
  | { readonly kind: 'running' }
  | { readonly kind: 'stopped' }
  /** The guest printed it on its console since this run began. */
  | { readonly kind: 'console'; readonly pattern: RegExp }
  /** Something listens. */
  | { readonly kind: 'port'; readonly host: string; readonly port: number };

/** Reads `running`, `stopped`, `console=REGEX`, `port=PORT` or `port=ADDRESS:PORT`; undefined for anything else. */
export function parseGoal(text: string): Goal | undefined {
  if (text === 'running' || text === 'stopped') return { kind: text };
  const [, name, value = ''] = /^(console|port)=(.+)$/s.exec(text) ?? [];
  if (name === 'console') return consoleGoal(value);
  const [, host = '127.0.0.1', port] = /^(?:\[?([^\]]+)\]?:)?(\d{1,5})$/.exec(value) ?? [];
  if (name !== 'port' || port === undefined || Number(port) < 1 || Number(port) > 65535) return undefined;
  return { kind: 'port', host, port: Number(port) };
}

function consoleGoal(value: string): Goal | undefined {
  try {
    return { kind: 'console', pattern: new RegExp(value, 'm') };
  } catch {
    return undefined;
  }
}

const PAUSE_MS = 50;

/** What may be spent on it when the time is up. */
const LAST_LOOK_MS = 300;

/** The console is searched from here on back: a pattern is looked for in what the guest printed last. */
const CONSOLE_BYTES = 8 * 1024 * 1024;

/**
 * Waits until the goal is reached.
 *
 * @param deadline on the clock of `performance.now()`.
 * @throws {QemuError} `QEMU_TIMEOUT`, `QEMU_ABORTED`, `QEMU_NOT_RUNNING` when the machine's console or port is waited for
 * and it does not run.
 */
export async function waitForGoal(target: Target, goal: Goal, deadline: number, signal?: AbortSignal): Promise<void> {
  const check = checkFor(target, goal);
  for (;;) {
    // Asked before the check: what a machine printed just before it ended still counts.
    const alive = locate(target.files).kind === 'alive';
    if (await check()) return;
    const needsMachine = goal.kind === 'console' || goal.kind === 'port';
    if (needsMachine && !alive) {
      throw notRunning(target);
    }
    const left = deadline - performance.now();
    if (left <= 0) {
      throw new QemuError('QEMU_TIMEOUT', `Machine "${target.longName}" did not get to "${describe(goal)}" in time`, {
        cause: alive
          ? new Error(`it is ${describeState((await lookAtState(target.files, LAST_LOOK_MS)).state)}`)
          : undefined,
      });
    }
    await delay(Math.min(PAUSE_MS, left), signal);
  }
}

function checkFor(target: Target, goal: Goal): () => Promise<boolean> {
  switch (goal.kind) {
    case 'running':
      return async () => {
        const located = locate(target.files);
        return located.kind === 'alive' && (await askState(target.files)) === 'running';
      };
    case 'stopped':
      return async () => locate(target.files).kind !== 'alive';
    case 'console':
      return consoleCheck(target, goal.pattern);
    case 'port':
      return () => canConnect(goal.host, goal.port);
    default:
      return goal satisfies never;
  }
}

function consoleCheck(target: Target, pattern: RegExp): () => Promise<boolean> {
  const { consoleLog } = target.files;
  const offset = locate(target.files).record?.consoleLogOffset ?? 0;
  let seen = -1;
  return async () => {
    const size = sizeOf(consoleLog);
    if (size === seen) return false;
    seen = size;
    return pattern.test(readTail(consoleLog, offset, CONSOLE_BYTES).replaceAll('\r\n', '\n'));
  };
}

function describe(goal: Goal): string {
  if (goal.kind === 'console') return `console=${goal.pattern.source}`;
  return goal.kind === 'port' ? `port=${goal.host}:${goal.port}` : goal.kind;
}
