import { QemuError } from '../../base/errors.ts';
import { type FileHash, hashFile } from '../../system/files/hash-file.ts';

/** An image of a backup, with what its manifest says of it. */
export interface SourceFile extends FileHash {
  readonly path: string;
}

/** How {@link demandUnchanged} reads. */
export interface ReadOptions {
  readonly signal: AbortSignal | undefined;
  /** Receives how far it is, from 0 to 100. */
  readonly onPercent: (percent: number) => void;
}

/**
 * Reads images wholly and compares them with their manifests. A disk that loses bits keeps the length of a file, and
 * qemu-img copies what it finds.
 *
 * @throws {QemuError} `QEMU_IO` for one that has changed, or cannot be read, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function demandUnchanged(files: readonly SourceFile[], { signal, onPercent }: ReadOptions): Promise<void> {
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let done = 0;
  const onBytes = (count: number): void => {
    done += count;
    onPercent((100 * done) / Math.max(total, 1));
  };
  for (const { path, sizeBytes, sha256 } of files) {
    const found = await hashFile(path, { signal, onBytes });
    if (found.sizeBytes === sizeBytes && found.sha256 === sha256) continue;
    throw new QemuError('QEMU_IO', `"${path}" has changed since the backup: its checksum is not that of the manifest`, {
      hint: 'another point may be whole; see: qemu-init backup verify DEST',
    });
  }
}
