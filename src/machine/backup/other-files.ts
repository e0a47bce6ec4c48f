import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { asArray, asNumber, asRecord, asText } from '../../base/guards.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { Domain } from '../../domain/domain.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { fileError } from '../../system/files/file-error.ts';
import { isThere } from '../../system/files/files.ts';
import { withImage } from '../../system/images/image.ts';
import { fileNode, formatNode } from '../argv/render/nodes.ts';
import type { MachineRef } from '../context.ts';
import type { Target } from '../copy/transaction.ts';
import { findFirmware } from '../start/firmware.ts';
import { readTpm } from '../tpm/tpm-folder.ts';
import type { BackupFile } from './manifest.ts';

/** Drive of the firmware's variables. */
const VARIABLES = 'vars';

/** Variables of a firmware have 64 MiB at most. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * The variables of the firmware of a machine that runs, as a target of the same transaction as the disks: what a guest
 * writes to them at that moment is in its image only later.
 */
export async function variablesTarget(domain: Domain, options: ExecuteOptions): Promise<Target | undefined> {
  const nodes = asArray(await domain.run('query-named-block-nodes', undefined, options)).map(asRecord);
  const node = nodes.find((each) => each['node-name'] === formatNode(VARIABLES));
  const path = asText(nodes.find((each) => each['node-name'] === fileNode(VARIABLES))?.['file']);
  if (!node || !path.startsWith('/') || node['ro'] === true) return undefined;
  const format = asText(node['drv']) === 'qcow2' ? 'qcow2' : 'raw';
  const sizeBytes = asNumber(asRecord(node['image'])['virtual-size']);
  return { id: VARIABLES, source: formatNode(VARIABLES), file: nameFor(path), format, sizeBytes };
}

/** A name of a file that neither a disk nor a hidden file has. */
function nameFor(path: string): string {
  const name = basename(path);
  return /^(?:\.|dsk\d+\.|tpm$|manifest\.json$)/i.test(name) ? `vars-${name.replace(/^\.+/, '')}` : name;
}

/**
 * Copies what else a machine consists of to the folder of a point: its file, what its TPM has and, if it does not run,
 * the variables of its firmware.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`.
 */
export function copyOthers(
  part: string,
  target: MachineRef,
  config: MachineConfig,
  isRunning: boolean,
): Pick<BackupFile, 'name' | 'role'>[] {
  const cfg = `${target.longName}-qemu.cfg`;
  copy(target.configPath, join(part, cfg));
  const files = [{ name: cfg, role: 'cfg' as const }, ...copyTpm(part, config, target)];
  const variables = isRunning ? undefined : variablesOf(config, target);
  if (variables === undefined || !isThere(variables)) return files;
  const name = nameFor(variables);
  copy(variables, join(part, name));
  return [...files, { name, role: 'firmware' }];
}

function copyTpm(part: string, { tpm }: MachineConfig, { files }: MachineRef): Pick<BackupFile, 'name' | 'role'>[] {
  const contents = tpm ? [...readTpm(files)] : [];
  if (contents.length > 0) mkdirSync(join(part, 'tpm'), { mode: 0o700 });
  return contents.map(([name, bytes]) => {
    write(join(part, 'tpm', name), bytes);
    return { name: `tpm/${name}`, role: 'tpm' };
  });
}

function variablesOf(config: MachineConfig, target: MachineRef): string | undefined {
  try {
    return findFirmware(config, target.files)?.variables;
  } catch (error) {
    // A firmware that this host no longer has is no obstacle to a backup.
    if (error instanceof QemuError && error.code === 'QEMU_NOT_INSTALLED') return undefined;
    throw error;
  }
}

/** What was looked at is what is copied: a link that QEMU's user puts there in between leads nowhere. */
function copy(from: string, to: string): void {
  const bytes = withImage(from, (file, stats) => {
    if (stats.isFile() && stats.size <= MOST_BYTES) return file.read(0, stats.size);
    throw new QemuError('QEMU_IO', `"${from}" is not a file of at most ${MOST_BYTES} bytes`);
  });
  write(to, bytes);
}

function write(to: string, bytes: Buffer): void {
  try {
    writeFileSync(to, bytes, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw fileError('write', to, error);
  }
}
