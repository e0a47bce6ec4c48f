import { listenForAbort } from '../base/abort.ts';
import { QemuError, QmpRefusedError } from '../base/errors.ts';
import type { Deadlines } from './deadlines.ts';
import type { QmpMessage } from './message.ts';
import type { QmpEnd } from './state.ts';

/** What one command may take. */
export interface ExecuteOptions {
  /** Milliseconds until the answer, waiting for a place in flight included; default: 60 s; `Infinity` for no limit. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Sends `exec-oob`: answered at once, even while another command blocks. Only for commands that allow it. */
  readonly outOfBand?: boolean | undefined;
}

/** One command between its call and its answer. */
export interface Command {
  /** 0 until it is sent. */
  id: number;
  readonly name: string;
  /** What is sent, but for its id. */
  readonly call: string;
  readonly outOfBand: boolean;
  /** Whether the peer may hang up instead of answering. */
  readonly isQuit: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: QemuError) => void;
}

/** A message that answers a command, well or badly. */
export type Answer = Extract<QmpMessage, { kind: 'return' | 'error' | 'unclear' }>;

/**
 * Resolve and reject of a promise with a deadline and a signal: whatever comes first settles it and lets go of the
 * others. `giveUp` is called with the error of the deadline or the signal, and is to call the returned `reject`.
 */
export function guardCommand(
  name: string,
  settle: { readonly resolve: (value: unknown) => void; readonly reject: (error: QemuError) => void },
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
  deadlines: Deadlines,
  giveUp: (error: QemuError) => void,
): Pick<Command, 'resolve' | 'reject'> {
  const onAbort = (): void => giveUp(abortedError(`Command "${name}" was aborted`, signal));
  const onTimeout = (): void => giveUp(timeoutError(name, timeoutMs));
  const deadline = deadlines.add(timeoutMs, onTimeout);
  const ignoreSignal = signal && listenForAbort(signal, onAbort);
  const release = (): void => {
    deadlines.remove(deadline);
    ignoreSignal?.();
  };
  return {
    resolve: (value) => {
      release();
      settle.resolve(value);
    },
    reject: (error) => {
      release();
      settle.reject(error);
    },
  };
}

/** Gives a command its answer. */
export function settleCommand(command: Command, answer: Answer): void {
  switch (answer.kind) {
    case 'return':
      command.resolve(answer.value);
      return;
    case 'error': {
      const { errorClass, desc, id } = answer;
      command.reject(new QmpRefusedError({ errorClass, desc, command: command.name, id }));
      return;
    }
    case 'unclear':
      command.reject(new QemuError('QEMU_QMP_BAD_REPLY', `Bad answer to "${command.name}": ${answer.why}`));
      return;
    default:
      answer satisfies never;
  }
}

/** 60 s, and 10 µs for each byte to send: QEMU takes 4 to 5 µs to read one (7.2, one byte per system call). */
export function defaultTimeoutMs(line: string): number {
  return 60_000 + Math.ceil(line.length / 100);
}

/** Whether the command makes QEMU hang up, be it `quit` itself or the human monitor's. */
export function isQuitCommand(name: string, args: object | undefined): boolean {
  if (name === 'quit') return true;
  if (name !== 'human-monitor-command' || args === undefined) return false;
  const commandLine: unknown = Reflect.get(args, 'command-line');
  return typeof commandLine === 'string' && /^\s*(?:q|quit)\s*$/.test(commandLine);
}

/** What a call gets whose connection has ended. */
export function closedError(command: string, end: QmpEnd): QemuError {
  return new QemuError('QEMU_QMP_CLOSED', `Connection ended before "${command}" was answered`, { cause: end.error });
}

/** What a call gets whose signal was aborted. */
export function abortedError(message: string, signal: AbortSignal | undefined): QemuError {
  return new QemuError('QEMU_ABORTED', message, { cause: signal?.reason });
}

function timeoutError(command: string, timeoutMs: number): QemuError {
  return new QemuError('QEMU_TIMEOUT', `No answer to "${command}" within ${Math.round(timeoutMs)} ms`, {
    hint: 'QEMU may be busy, stopped by a signal, or waiting for its disk; it may still run the command',
  });
}
