import { basename, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { ReadablePoint } from '../../machine/backup/chain.ts';
import type { MachineRef } from '../../machine/context.ts';
import type { FileTask } from '../../machine/restore/replace-files.ts';
import type { FileOwner } from '../../machine/restore/restore-disk.ts';
import { readBackupFile } from '../../machine/restore/restore-file.ts';
import { storeOf } from '../../machine/start/firmware.ts';

/** Firmware variables and TPM state of a machine, as its restore makes them. */
export interface MachineFiles {
  readonly tasks: readonly FileTask[];
  readonly notes: readonly string[];
}

/**
 * What a point has besides disks and cfg, for a machine.
 *
 * @param variables where the variables of the firmware are to be, when the cfg names that.
 * @throws {QemuError} `QEMU_IO` when a file of the backup is damaged, `QEMU_NOT_PERMITTED`.
 */
export function machineFiles(
  point: ReadablePoint,
  config: MachineConfig,
  target: MachineRef,
  { owner, variables }: { readonly owner: FileOwner | undefined; readonly variables: string | undefined },
): MachineFiles {
  const { files } = point.manifest;
  const firmware = files.filter(({ role }) => role === 'firmware').slice(0, 1);
  const tpm = files.filter(({ role }) => role === 'tpm');
  const stores = firmware.map((file) => {
    const store = variables ?? storeIn(config, target) ?? join(target.files.stateDir, basename(file.name));
    return { path: store, content: readBackupFile(point, file), owner };
  });
  const inTpm = new Map(tpm.map((file) => [file.name.slice('tpm/'.length), readBackupFile(point, file)]));
  const folders = inTpm.size === 0 ? [] : [{ path: join(target.files.stateDir, 'tpm'), content: inTpm, owner }];
  const isNew = config.firmware !== 'bios' && firmware.length === 0;
  const notes = isNew ? ['The backup has no firmware variables: the firmware begins with new ones'] : [];
  return { tasks: [...stores, ...folders], notes };
}

function storeIn(config: MachineConfig, { files }: MachineRef): string | undefined {
  try {
    return storeOf(config, files)?.file;
  } catch (error) {
    // The host does not have that firmware yet.
    if (error instanceof QemuError && error.code === 'QEMU_NOT_INSTALLED') return undefined;
    throw error;
  }
}
