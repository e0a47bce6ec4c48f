import type { MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { readSnapshotNotes, type TpmNote } from '../snapshot/snapshot-notes.ts';
import { readTpm, replaceTpm } from './tpm-folder.ts';

/** What a machine's TPM has now, to be kept with a snapshot. Undefined: it was never started. */
export function tpmNow(files: MachinePaths): TpmNote | undefined {
  const contents = [...readTpm(files)].map(([name, bytes]) => [name, bytes.toString('base64')] as const);
  return contents.length === 0 ? undefined : Object.fromEntries(contents);
}

/**
 * Gives the TPM of a machine that does not run the contents that it had at a snapshot. Without a TPM then, it stays as
 * it is.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` or `QEMU_IO`; it is as before then.
 */
export function revertTpm(
  host: MachineContext,
  target: MachineRef,
  { tpm }: Pick<MachineConfig, 'tpm'>,
  name: string,
): void {
  if (!tpm) return;
  const note = readSnapshotNotes(target.files).find((each) => each.name === name);
  if (note?.tpm) {
    const contents = Object.entries(note.tpm).map(([file, text]) => [file, Buffer.from(text, 'base64')] as const);
    replaceTpm(target.files, new Map(contents));
  } else {
    const message = `snapshot "${name}" does not contain the TPM, which stays as it is`;
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}
