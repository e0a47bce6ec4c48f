import { existsSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { holderOfFile } from '../../system/process/holders.ts';

/** What is done to the disc in a drive. */
export interface MediumChange {
  /** Id of the drive's device: `cdr1-dev`. */
  readonly device: string;
  /** Absolute path of the new disc; undefined: the drive is emptied. */
  readonly file: string | undefined;
  /** Take the disc out even when the guest has locked the tray. */
  readonly force: boolean;
}

/**
 * Puts a disc into a CD-ROM drive that runs, or takes it out.
 *
 * @throws {QemuError} `QEMU_QMP_REFUSED`: QEMU cannot open the file; without `force` also when the guest has locked the
 * tray, which asks the guest to unlock it.
 */
export async function changeMedium(client: QmpClient, change: MediumChange, options: ExecuteOptions): Promise<void> {
  const { device: id, file, force } = change;
  if (file === undefined) {
    await client.execute('eject', { id, force }, options);
    return;
  }
  try {
    await client.execute(
      'blockdev-change-medium',
      { id, filename: file, format: 'raw', 'read-only-mode': 'read-only', force },
      options,
    );
  } catch (error) {
    throw withReason(error, file);
  }
}

/** The error of a QEMU that cannot open a file, with the reason when it can be found. */
export function withReason(error: unknown, file: string): unknown {
  const hint = error instanceof QemuError ? reasonFor(error.message, file) : undefined;
  if (!(error instanceof QemuError) || hint === undefined) return error;
  return new QemuError(error.code, error.message, { cause: error.cause, hint });
}

function reasonFor(message: string, file: string): string | undefined {
  if (/No such file|Permission denied/.test(message) && existsSync(file)) {
    return `"${file}" exists, but the running QEMU cannot open it: see HARDENING in qemu-init(8), or restart the machine`;
  }
  // QEMU does not know who else has the image.
  const holder = /Failed to get (?:shared )?".*" lock/.test(message) ? holderOfFile(file) : undefined;
  return holder && `"${file}" is open in "${holder.name}" (pid ${holder.pid})`;
}
