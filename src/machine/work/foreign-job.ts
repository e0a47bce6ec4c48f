import { QemuError, QmpRefusedError } from '../../base/errors.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import { Domain } from '../../domain/domain.ts';
import type { Job } from '../../domain/job.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { WorkRecord } from './work-record.ts';

/** What QEMU says of a node that is below the filter of a job, or kept by one: its blockdev.c and block.c. */
const IN_THE_WAY = /Need a root block node|is (?:busy|blocked|in use)|in use by block job/;

/** For an answer: the work has failed anyway. */
const LOOK_MS = 5_000;

/**
 * Why QEMU refused a command on a disk, when that is a job which another program runs there: QEMU itself speaks of nodes.
 * Other errors stay as they are.
 *
 * @param connect does something with a connection to the machine's QEMU.
 */
export async function explainForeignJob(
  error: unknown,
  name: string,
  { jobs, what }: Pick<WorkRecord, 'jobs' | 'what'>,
  connect: <T>(work: (client: QmpClient | undefined) => Promise<T>) => Promise<T>,
): Promise<unknown> {
  if (!isInTheWay(error)) return error;
  try {
    const all = await connect(async (client) =>
      client === undefined ? [] : new Domain(client, name).jobs({ timeoutMs: LOOK_MS }),
    );
    const job = all.find(({ id, isOver }) => !isOver && !jobs.includes(id));
    return job === undefined ? error : jobIsThere(error, name, what, job);
  } catch {
    return error;
  }
}

function isInTheWay(error: unknown): boolean {
  return error instanceof QmpRefusedError && IN_THE_WAY.test(error.desc);
}

function jobIsThere(cause: unknown, name: string, what: string, { id, type }: Job): QemuError {
  return new QemuError(
    'QEMU_LOCKED',
    `Job "${id}" (${type}) of another program is running in machine "${name}": ${what} failed`,
    {
      cause,
      hint: `if it is on the same disk, wait for its end, or end it: ${shellCommand('qemu-init', 'jobs', 'cancel', name, id)}`,
    },
  );
}
