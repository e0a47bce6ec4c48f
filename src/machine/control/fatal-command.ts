import { QemuError } from '../../base/errors.ts';
import { asArray, asRecord } from '../../base/guards.ts';
import type { MachineRef } from '../context.ts';
import { refuseToLetRun } from '../move/refuse-moved.ts';
import { readLaunchRecord } from '../run/launch-record.ts';

/** Commands of both monitors that take an address of a state. */
const MOVES = /^(?:migrate|migrate[-_]incoming|migrate[-_]recover)$/;

/** Commands of both monitors that let a guest run, or begin anew. */
const RUNS = /^(?:c|cont|system_reset|system_wakeup)$/;

/**
 * Refuses a command that lets the guest run while it may run elsewhere; and one that has QEMU start a program, when the machine runs with SANDBOX=on: the kernel ends a QEMU 7.2 for
 * that, with its guest.
 *
 * @param command name of a QMP command, or a whole line of the human monitor.
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_MACHINE_STATE`
 */
export function refuseFatal(target: MachineRef, command: string, args?: Readonly<Record<string, unknown>>): void {
  if (RUNS.test(command.trim().split(/\s+/)[0] ?? '')) refuseToLetRun(target, 'resume');
  const { longName, files } = target;
  if (!startsProgram(command, args)) return;
  const launched = readLaunchRecord(files)?.args ?? [];
  const sandbox = launched[launched.indexOf('-sandbox') + 1] ?? '';
  if (!launched.includes('-sandbox') || !sandbox.includes('spawn=deny')) return;
  const message = `"exec:" starts a program, which would end machine "${longName}": it runs with SANDBOX=on`;
  throw new QemuError('QEMU_NOT_PERMITTED', message, { hint: `to save its state: qemu-init save ${longName}` });
}

/** Whether QEMU would start a program for it. Pure. */
export function startsProgram(command: string, args: Readonly<Record<string, unknown>> = {}): boolean {
  const [name = '', ...words] = command.trim().split(/\s+/);
  if (!MOVES.test(name)) return false;
  const uris = [...words.map((word) => word.replace(/^["']/, '')), args['uri']];
  const transports = asArray(args['channels']).map((channel) => asRecord(asRecord(channel)['addr'])['transport']);
  return uris.some((uri) => typeof uri === 'string' && uri.startsWith('exec:')) || transports.includes('exec');
}
