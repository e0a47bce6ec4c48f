import { QemuError } from '../../../../base/errors.ts';
import type { BackupId } from '../../../../machine/library/backups.ts';

/**
 * A machine or one of its points as typed: `web`, `web@20261127-030000`.
 *
 * @throws {QemuError} `QEMU_USAGE`
 */
export function parseBackupId(text: string): BackupId {
  const [name = '', point, ...more] = text.split('@');
  if (name !== '' && point !== '' && more.length === 0) return { name, point };
  throw new QemuError('QEMU_USAGE', `"${text}" is not ID or ID@POINT`, { hint: 'see: qemu-init backup list DEST' });
}
