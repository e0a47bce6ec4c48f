import type { MachineConfig } from '../config/types.ts';
import { QemuError } from '../errors.ts';
import type { QmpClient } from '../qmp/client.ts';
import { readTextIfExists } from '../system/files.ts';

/**
 * Sets the password of the VNC server. Until this is done QEMU lets nobody in (`password=on` without a password).
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when the file has none in its first line.
 */
export async function setVncPassword(config: MachineConfig, client: QmpClient): Promise<void> {
  if (config.vnc.kind === 'off' || config.vnc.passwordFile === undefined) return;
  const password = readVncPassword(config.vnc.passwordFile);
  if (password === '') {
    throw new QemuError('QEMU_CONFIG_INVALID', `The VNC password file "${config.vnc.passwordFile}" is empty`);
  }
  await client.executeRaw('set_password', { protocol: 'vnc', password });
}

/** The first line of a password file; empty when there is none. */
export function readVncPassword(path: string): string {
  return readTextIfExists(path)?.split('\n')[0]?.trimEnd() ?? '';
}
