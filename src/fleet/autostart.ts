import { ConfigError } from '../base/config-error.ts';
import { QemuError } from '../base/errors.ts';
import { setKey } from '../config/text/edit-text.ts';
import { shellCommand } from '../config/text/shell-words.ts';
import { readConfigText } from '../machine/config-text.ts';
import type { MachineRef } from '../machine/context.ts';
import { ensureDir, writeFileAtomic } from '../system/files/files.ts';
import { withLock } from '../system/lock/lock.ts';
import type { Fleet } from './fleet.ts';

const LOCK_TIMEOUT_MS = 60_000;

/**
 * Sets AUTOSTART in a machine's file, which keeps everything else. Returns whether that changed anything.
 *
 * @throws {ConfigError} when the file has mistakes.
 * @throws {QemuError} `QEMU_USAGE` for a machine that is not registered, which boot never starts, and for one in JSON.
 */
export async function setAutostart(
  fleet: Fleet,
  target: MachineRef,
  autostart: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const { configPath, longName } = target;
  if (fleet.config(target).autostart === autostart) return false;
  if (target.shortName === undefined) {
    throw new QemuError('QEMU_USAGE', `Machine "${longName}" is not registered, so nothing starts it at boot`, {
      hint: shellCommand('qemu-init', 'register', configPath),
    });
  }
  if (configPath.endsWith('.json')) {
    throw new QemuError('QEMU_USAGE', `Cannot change "${configPath}": it is JSON`, {
      hint: `convert it to a cfg file: ${shellCommand('qemu-init', 'import', configPath)}`,
    });
  }
  const { runDir, registryLock } = fleet.host.paths;
  ensureDir(runDir, 0o711);
  await withLock(registryLock, { timeoutMs: LOCK_TIMEOUT_MS, signal, purpose: 'enable' }, async () => {
    const read = readConfigText(configPath);
    if ('issue' in read) throw new ConfigError(`Cannot change "${configPath}"`, [read.issue], { cause: read.cause });
    writeFileAtomic(configPath, setKey(read.text, 'AUTOSTART', autostart ? 'on' : 'off'), undefined, { durable: true });
  });
  return true;
}
