import { join } from 'node:path';
import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import { parseMachineConfig } from '../../config/machine-config.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { ReadablePoint } from '../../machine/backup/chain.ts';
import { LARGEST_FILE } from '../../machine/config-text.ts';
import { readBackupFile } from '../../machine/restore/restore-file.ts';
import type { Paths } from '../../system/paths.ts';
import { readTrustedText } from '../../system/trust/trusted-path.ts';

/** The cfg file of a backup as it would be read in its place here. */
export interface BackupCfg {
  readonly text: string;
  readonly config: MachineConfig;
}

/**
 * @param configPath where it is to be.
 * @throws {ConfigError} for a file with mistakes.
 * @throws {QemuError} `QEMU_IO` when it is missing or has changed, `QEMU_NOT_PERMITTED`.
 */
export function readBackupCfg(point: ReadablePoint, configPath: string, paths: Paths): BackupCfg {
  const file = point.manifest.files.find(({ role }) => role === 'cfg');
  if (!file) throw new QemuError('QEMU_IO', `Backup ${point.name}@${point.point} has no cfg file`);
  const text = readBackupFile(point, file).toString('utf8');
  if (text.trimStart().startsWith('{')) {
    throw new QemuError('QEMU_CONFIG_INVALID', `Backup ${point.name}@${point.point} is of a machine in JSON`, {
      hint: `convert its file first: ${shellCommand('qemu-init', 'import', join(point.folder, file.name))}; and restore the disks with --disk`,
    });
  }
  const defaults = readTrustedText(paths.defaultsFile, LARGEST_FILE);
  const { config, issues } = parseMachineConfig(text, {
    path: configPath,
    defaults: defaults === undefined ? undefined : { path: paths.defaultsFile, text: defaults },
    etcDir: paths.etcDir,
  });
  if (config) return { text, config };
  throw new ConfigError(`Cannot use the cfg file of backup ${point.name}@${point.point}`, issues);
}
