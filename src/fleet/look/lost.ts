import type { MachineContext, MachineRef } from '../../machine/context.ts';
import { lostFiles } from '../../machine/run/lost-files.ts';

/** What is left of a machine whose sockets are gone. */
const REMAINS =
  'it has no console, and a stop asks its guest over the monitor ports, if any; a restart creates them again';

/** Which files of a running machine are gone, and what that means; undefined if none are. */
export function describeLost(target: MachineRef): string | undefined {
  const lost = lostFiles(target);
  return lost === undefined ? undefined : `${lost}; ${REMAINS}`;
}

export function tellLost(host: MachineContext, target: MachineRef): void {
  const message = describeLost(target);
  if (message !== undefined) host.notify({ level: 'warning', machine: target.longName, message });
}
