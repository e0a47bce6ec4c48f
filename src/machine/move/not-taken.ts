import { QemuError } from '../../base/errors.ts';
import { readTail } from '../../system/files/log/log-file.ts';
import type { MachinePaths } from '../../system/paths.ts';

const LOG_TAIL_BYTES = 16 * 1024;
const MOST_LINES = 6;

/**
 * The error for a QEMU that has ended which was to take a guest, with what it printed last, which is why.
 *
 * @param who such as `The new QEMU`.
 * @param logStart size of the log when it was started.
 */
export function notTaken(who: string, { log }: Pick<MachinePaths, 'log'>, logStart: number): QemuError {
  const printed = readTail(log, logStart, LOG_TAIL_BYTES).trim();
  const lines = printed === '' ? '' : `: ${printed.split('\n').slice(-MOST_LINES).join('\n')}`;
  return new QemuError('QEMU_COMMAND_FAILED', `${who} has ended${lines}`, {
    hint: `the whole output is in "${log}"`,
  });
}
