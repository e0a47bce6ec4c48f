import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { readTrustedText } from '../../system/trust/trusted-path.ts';

/** What the VNC authentication of RFC 6143 (7.2.2) uses of a password, and QEMU with it; the rest is cut off. */
export const VNC_PASSWORD_BYTES = 8;

/**
 * Sets the password of the VNC server. Until this is done QEMU lets nobody in (`password=on` without a password).
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when the file has none in its first line.
 */
export async function setVncPassword(config: MachineConfig, client: QmpClient): Promise<void> {
  if (config.vnc.kind === 'off' || config.vnc.passwordFile === undefined) return;
  const password = readVncPassword(config.vnc.passwordFile);
  if (!password) {
    throw new QemuError('QEMU_CONFIG_INVALID', `The VNC password file "${config.vnc.passwordFile}" is empty`);
  }
  await client.executeRaw('set_password', { protocol: 'vnc', password });
}

/**
 * The first line of a password file; undefined when there is no such file.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when it cannot be read, or others may change it, `QEMU_IO` for anything but a
 * small regular file.
 */
export function readVncPassword(path: string): string | undefined {
  return readTrustedText(path, MOST_BYTES)?.split('\n')[0]?.trimEnd();
}

const MOST_BYTES = 4096;
