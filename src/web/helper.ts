import type { Duplex } from 'node:stream';
import { errorFromJson } from '../base/error-json.ts';
import { QemuError } from '../base/errors.ts';
import { asRecord, asText, optionalText } from '../base/guards.ts';
import type { Progress } from '../base/progress.ts';
import type { StopStep } from '../machine/stop/stop-plan.ts';
import { openStream } from '../qmp/transport.ts';
import { nextLine, readHelperAnswer, sendLine } from './helper-line.ts';
import type { MachineAction } from './machine-actions.ts';
import type { TaskContext, TaskResult } from './tasks.ts';

const CONNECT_MS = 10_000;

/** Socket of the helper that acts for the page of a host, whose own user may only look. @param runDir that of the machines. */
export function helperSocketOf(runDir: string): string {
  return `${runDir}-control/socket`;
}

/**
 * Has the helper do something with a machine.
 *
 * @throws {QemuError} what it answers; `QEMU_ABORTED` when it was cancelled and is undone; `QEMU_COMMAND_FAILED` when it is away.
 */
export async function actThrough(
  socket: string,
  machine: string,
  action: MachineAction,
  { signal, onProgress, onStep }: TaskContext,
  wish: unknown,
): Promise<TaskResult> {
  const stream = await connect(socket);
  // It undoes what it has begun, and then says so.
  const cancel = (): void => void stream.end();
  try {
    sendLine(stream, { do: 'act', machine, action, wish });
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    for (let line = await nextLine(stream); line !== undefined; line = await nextLine(stream)) {
      const answer = readHelperAnswer(line);
      // Both ends are of one version, and this one is the one that is not trusted.
      if (answer.progress !== undefined) onProgress(answer.progress as Progress);
      if (answer.step !== undefined) onStep(answer.step as StopStep);
      if (answer.error !== undefined) throw errorOf(answer.error);
      if (answer.result !== undefined) return resultOf(answer.result);
    }
    throw away();
  } finally {
    signal.removeEventListener('abort', cancel);
    stream.destroy();
  }
}

/**
 * The serial console of a machine, through the helper.
 *
 * @throws {QemuError} what it answers; `QEMU_COMMAND_FAILED` when it is away.
 */
export async function consoleThrough(socket: string, machine: string): Promise<Duplex> {
  const stream = await connect(socket);
  try {
    sendLine(stream, { do: 'console', machine });
    const answer = readHelperAnswer((await nextLine(stream)) ?? '');
    if (answer.open === true) return stream;
    throw answer.error === undefined ? away() : errorOf(answer.error);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

async function connect(socket: string): Promise<Duplex> {
  const stream = await openStream(
    { kind: 'unix', path: socket },
    { retry: false, signal: AbortSignal.timeout(CONNECT_MS) },
  );
  // Its end is seen by whoever reads.
  stream.on('error', () => stream.destroy());
  return stream;
}

function errorOf(value: unknown): QemuError {
  const { code, message } = asRecord(value);
  return code === 'QEMU_ABORTED' ? new QemuError(code, asText(message)) : errorFromJson(value);
}

function resultOf(value: unknown): TaskResult {
  const { text, rung } = asRecord(value);
  return { text: asText(text), rung: optionalText(rung) };
}

function away(): QemuError {
  return new QemuError('QEMU_COMMAND_FAILED', 'The helper of the page gave no answer', {
    hint: 'journalctl -u "qemu-web-control@*"',
  });
}
