import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { readBoundedText } from '../../system/files/bounded-text.ts';
import { type BackupManifest, MANIFEST_NAME } from './manifest.ts';
import { checkManifest } from './manifest-checks.ts';

/** A manifest of 1000 disks has less. */
const MOST_BYTES = 1024 * 1024;

/**
 * Reads a manifest that others may have written: nothing in it leads out of the folders of the machine's points.
 *
 * @param folder of the point.
 * @throws {QemuError} `QEMU_IO` when it is missing, no regular file, too large or damaged, `QEMU_NOT_IMPLEMENTED` when a newer version wrote
 * it, `QEMU_NOT_PERMITTED` when this user may not read it.
 */
export function readManifest(folder: string): BackupManifest {
  const file = join(folder, MANIFEST_NAME);
  return parseManifest(readBoundedText(file, MOST_BYTES), file);
}

/**
 * The same, of its text.
 *
 * @param file for the messages.
 * @throws {QemuError} as {@link readManifest}.
 */
export function parseManifest(text: string, file: string): BackupManifest {
  const fail = (why: string): never => {
    throw new QemuError('QEMU_IO', `"${file}" is not a usable manifest: ${why}`, {
      hint: 'the point is damaged, or was not written by qemu-init',
    });
  };
  if (Buffer.byteLength(text) > MOST_BYTES) return fail(`larger than ${MOST_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail('not JSON');
  }
  return checkManifest(value, fail, (version) => {
    throw new QemuError('QEMU_NOT_IMPLEMENTED', `"${file}" is a manifest of version ${version}`, {
      hint: 'use the qemu-init that wrote it, or a newer one',
    });
  });
}
