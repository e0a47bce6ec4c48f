import type { MachineRef } from '../context.ts';
import { locate } from '../run/locate.ts';
import { readJournal } from './journal.ts';

/** What `status` has to say of devices that the guest was asked to release and did not yet. */
export function leavingProblems({ files, longName }: MachineRef): string[] {
  const located = locate(files);
  if (located.kind !== 'alive') return [];
  const leaving = Object.entries(readJournal(files, located.process)?.leaving ?? {});
  return leaving.map(([key, since]) => {
    const again = `to ask again: qemu-init reload ${longName}`;
    return `${key} is being detached since ${since}, and its guest has not released it; ${again}`;
  });
}
