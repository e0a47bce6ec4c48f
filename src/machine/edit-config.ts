import { ConfigError } from '../base/config-error.ts';
import { QemuError } from '../base/errors.ts';
import { shellCommand } from '../config/text/shell-words.ts';
import { ensureDir, writeFileAtomic } from '../system/files/files.ts';
import { withLock } from '../system/lock/lock.ts';
import { readConfigText } from './config-text.ts';
import type { MachineContext, MachineRef } from './context.ts';

const LOCK_TIMEOUT_MS = 60_000;

/** What is done to a file, and for which command. */
export interface ConfigEdit {
  /** Word for the command, such as `enable`. */
  readonly purpose: string;
  /** Makes the new text of the old one, and throws to leave the file as it is. */
  readonly change: (text: string) => string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Changes the text of a machine's file while no other command does. It is replaced as a whole.
 *
 * @throws {QemuError} `QEMU_USAGE` for a machine in JSON; `QEMU_LOCKED`, `QEMU_ABORTED`, `QEMU_IO`, and what `change`
 * throws.
 * @throws {ConfigError} when the file cannot be read.
 */
export async function editConfig(host: MachineContext, target: MachineRef, edit: ConfigEdit): Promise<void> {
  const { configPath } = target;
  refuseJson(target);
  const { runDir, registryLock } = host.paths;
  ensureDir(runDir, 0o711);
  const options = { timeoutMs: LOCK_TIMEOUT_MS, signal: edit.signal, purpose: edit.purpose };
  await withLock(registryLock, options, async () => {
    const read = readConfigText(configPath);
    if ('issue' in read) throw new ConfigError(`Cannot change "${configPath}"`, [read.issue], { cause: read.cause });
    writeFileAtomic(configPath, edit.change(read.text), undefined, { durable: true });
  });
}

/** Only cfg files have lines that can be changed. @throws {QemuError} `QEMU_USAGE` */
export function refuseJson({ configPath }: MachineRef): void {
  if (!configPath.endsWith('.json')) return;
  throw new QemuError('QEMU_USAGE', `Cannot change "${configPath}": it is JSON`, {
    hint: `convert it to a cfg file: ${shellCommand('qemu-init', 'import', configPath)}`,
  });
}
