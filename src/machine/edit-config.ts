import { ConfigError } from '../base/config-error.ts';
import { QemuError } from '../base/errors.ts';
import { shellCommand } from '../config/text/shell-words.ts';
import { ensureDir } from '../system/files/files.ts';
import { type PreparedFile, prepareFile, requireReplaceable, writeFileAtomic } from '../system/files/write-file.ts';
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
  await whileEditing(host, target, edit, async ({ write }) => write(edit.change));
}

type Change = (text: string) => string;

/** Changes the text of a machine's file, durably. Both throw {@link ConfigError} when it cannot be read. */
export interface ConfigEditor {
  readonly write: (change: Change) => void;
  /** Does so up to the last step, which needs neither room nor rights that were not there before. */
  readonly prepare: (change: Change) => PreparedFile;
}

/**
 * Does something during which no other command changes the file of a machine, for what has to be written at a certain
 * moment.
 *
 * @throws {QemuError} as {@link editConfig}, and what `body` throws.
 */
export async function whileEditing<T>(
  host: MachineContext,
  target: MachineRef,
  { purpose, signal }: Pick<ConfigEdit, 'purpose' | 'signal'>,
  body: (editor: ConfigEditor) => Promise<T>,
): Promise<T> {
  const { configPath } = target;
  refuseJson(target);
  const { runDir, registryLock } = host.paths;
  ensureDir(runDir, 0o711);
  const write = (change: Change): void =>
    writeFileAtomic(configPath, change(readText(configPath)), undefined, { durable: true });
  const prepare = (change: Change): PreparedFile => {
    const text = readText(configPath);
    const file = prepareFile(configPath, change(text));
    const commit = (): void => {
      // Somebody may have changed it with an editor meanwhile.
      if (readText(configPath) === text && isCommitted(file)) return;
      file.discard();
      write(change);
    };
    return { commit, discard: file.discard };
  };
  return withLock(registryLock, { timeoutMs: LOCK_TIMEOUT_MS, signal, purpose }, () => body({ write, prepare }));
}

/** A command that finds the new file too old to be somebody's at work removes it. */
function isCommitted(file: PreparedFile): boolean {
  try {
    file.commit();
    return true;
  } catch {
    return false;
  }
}

/**
 * Refuses to begin what ends with a change of a machine's file when that cannot be written.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED`, `QEMU_IO`, and `QEMU_USAGE` for a machine in JSON.
 */
export function requireEditable(target: MachineRef): void {
  refuseJson(target);
  readText(target.configPath);
  requireReplaceable(target.configPath);
}

function readText(configPath: string): string {
  const read = readConfigText(configPath);
  if ('issue' in read) throw new ConfigError(`Cannot change "${configPath}"`, [read.issue], { cause: read.cause });
  return read.text;
}

/** Only cfg files have lines that can be changed. @throws {QemuError} `QEMU_USAGE` */
export function refuseJson({ configPath }: MachineRef): void {
  if (!configPath.endsWith('.json')) return;
  throw new QemuError('QEMU_USAGE', `Cannot change "${configPath}": it is JSON`, {
    hint: `convert it to a cfg file: ${shellCommand('qemu-init', 'import', configPath)}`,
  });
}
