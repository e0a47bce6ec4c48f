import { closeSync, openSync } from 'node:fs';
import { fileError } from '../../system/files/file-error.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { savedFiles } from '../state/saved-folder.ts';
import { addFdArguments } from './passed-fd.ts';

/** Number of the fd set, which no caller is likely to choose for one of theirs. */
const FDSET = 1_000_000;

/** A saved state that QEMU inherits open, since its user may not open it. To be closed here after the launch. */
export class StateDescriptor {
  readonly fd: number;
  readonly #takesFiles: boolean;

  /**
   * @param takesFiles whether QEMU has the transport `file:`; an older one takes files as `fd:`, of which a newer one
   * warns.
   * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`.
   */
  constructor(files: MachinePaths, takesFiles: boolean) {
    const { state } = savedFiles(files, 'loading');
    this.#takesFiles = takesFiles;
    try {
      this.fd = openSync(state, 'r');
    } catch (error) {
      throw fileError('open', state, error);
    }
  }

  /** Options of a QEMU that has it as that number. */
  args(number: number): string[] {
    return this.#takesFiles ? addFdArguments([{ fd: this.fd, fdset: FDSET, opaque: 'saved state' }], number) : [];
  }

  /** Where that QEMU finds it, for `migrate-incoming`. */
  uri(number: number): string {
    return this.#takesFiles ? `file:/dev/fdset/${FDSET}` : `fd:${number}`;
  }

  close(): void {
    closeSync(this.fd);
  }
}
