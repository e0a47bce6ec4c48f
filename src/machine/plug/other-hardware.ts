import type { ProcessInfo } from '../../system/process/process.ts';
import type { MachineRef } from '../context.ts';
import { readLaunchRecord } from '../run/launch-record.ts';
import { readJournal } from './journal.ts';
import { identityOf } from './running.ts';

/**
 * Keys of devices that a running machine has, and would not have in these places after a start with what it was started
 * with, or the other way round. Discs that were changed do not count.
 */
export function otherHardware({ files }: MachineRef, process: ProcessInfo): string[] {
  const journal = readJournal(files, process);
  const launched = readLaunchRecord(files)?.parts;
  if (journal === undefined || launched === undefined) return [];
  const plugged = new Set(journal.plugged.map((id) => `device ${id}`));
  const present = new Set(journal.parts.map(identityOf));
  const came = journal.parts.filter((part) => plugged.has(identityOf(part)));
  const went = launched.filter((part) => part.kind === 'device' && !present.has(identityOf(part)));
  return [...new Set([...came, ...went].map(({ key }) => key))];
}
