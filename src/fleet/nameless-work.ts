import { rmdirSync } from 'node:fs';
import { QemuError } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import { isValidName } from '../config/text/names.ts';
import type { MachineContext, MachineRef } from '../machine/context.ts';
import { hasWork, isAtWork, readWork, type WorkRecord } from '../machine/work/work-record.ts';
import { namesIn } from '../system/files/files.ts';
import { newTarget } from './resolve.ts';

/** A restore to a new machine, which never came to be: perhaps nobody names that again. */
interface NamelessWork {
  readonly target: MachineRef;
  readonly record: WorkRecord;
}

/** Longest that a look at all machines is held up by it. */
const LOOK_MS = 1_500;

/**
 * Removes what killed restores made of machines that are not registered yet. What is
 * whole but for its registration is told only: the same command ends it. Costs one readdir(3). Never throws.
 *
 * @param registered their long names.
 */
export async function settleNameless(host: MachineContext, registered: readonly string[]): Promise<void> {
  for (const { target, record } of namelessWork(host, registered)) {
    if (isWhole(record)) {
      host.notify({ level: 'warning', machine: target.longName, message: `${messageOf(record)}; ${AGAIN}` });
      continue;
    }
    const { settleQuietly } = await import('../machine/work/settle.ts');
    await settleQuietly(host, target, LOOK_MS);
    try {
      rmdirSync(target.files.stateDir);
    } catch {
      // A machine of that name had left something there before.
    }
  }
}

/** The same for those who must not change anything. */
export function namelessProblems(host: MachineContext, registered: readonly string[]): Problem[] {
  return namelessWork(host, registered).map(({ target, record }) => ({
    severity: 'warning',
    machine: target.longName,
    message: messageOf(record),
    detail: 'there is no such machine yet, and what was made of it takes room',
    hint: isWhole(record) ? AGAIN : 'qemu-init list removes what it left',
  }));
}

const AGAIN = 'give the same command again, which ends it';

function messageOf({ what }: WorkRecord): string {
  return `An earlier command was interrupted: ${what}`;
}

/** A restore whose files are all there: see `restore-work.ts`. */
function isWhole({ data }: WorkRecord): boolean {
  return Array.isArray(data['swaps']) && data['swaps'].length > 0;
}

function namelessWork(host: MachineContext, registered: readonly string[]): NamelessWork[] {
  try {
    const known = new Set(registered);
    return namesIn(host.paths.stateDir).flatMap((name): NamelessWork[] => {
      if (known.has(name) || !isValidName(name)) return [];
      const target = newTarget(host.paths, name, undefined);
      const record = hasWork(target.files) ? readWork(target.files) : undefined;
      // Other work is of a machine that is there: who uses that by its path settles it, too.
      return record?.kind !== 'restore' || isAtWork(target.files, record) ? [] : [{ target, record }];
    });
  } catch (error) {
    if (error instanceof QemuError) return [];
    throw error;
  }
}
