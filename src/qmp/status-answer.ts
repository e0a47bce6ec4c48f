import { QemuError } from '../base/errors.ts';

/**
 * The RunState in an answer to `query-status`. One that this package does not know passes; what cannot be the name of a
 * state does not, since a QEMU that a guest has taken over may answer anything.
 *
 * @throws {QemuError} `QEMU_QMP_BAD_REPLY`
 */
export function runStateOf(answer: unknown): string {
  const status: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'status') : undefined;
  if (typeof status === 'string' && /^[a-z][a-z0-9-]{0,39}$/.test(status)) return status;
  throw new QemuError('QEMU_QMP_BAD_REPLY', 'Bad answer to "query-status": it has no state');
}

/** The same of what the human monitor prints for `info status` (QEMU monitor/hmp-cmds.c). @throws {QemuError} likewise. */
export function runStateInText(text: string): string {
  const [, word = '', state] = /^VM status: (\w+)(?: \(single step mode\))?(?: \(([\w-]+)\))?$/m.exec(text) ?? [];
  return runStateOf({ status: state ?? word });
}
