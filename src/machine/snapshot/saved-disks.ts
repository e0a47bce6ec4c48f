import type { MachineRef } from '../context.ts';
import { locate } from '../run/locate.ts';
import { refuseSaved } from '../state/saved-folder.ts';

/** Of a machine that does not run and has a saved state the disks must not change. @throws {QemuError} `QEMU_MACHINE_STATE`. */
export function refuseSavedDisks({ files, longName }: MachineRef, what: string): void {
  if (locate(files).kind !== 'alive') refuseSaved(files, longName, what);
}
