import { QemuError } from '../../base/errors.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineRef } from '../context.ts';
import { refuseJson } from '../edit-config.ts';
import type { DiskNow } from './disk-layer.ts';
import { isSameFile } from './same-file.ts';

/**
 * The disk that a key names, in any case.
 *
 * @throws {QemuError} `QEMU_DEVICE_UNKNOWN` when the machine has none of that name.
 */
export function chosenDisk(config: MachineConfig, key: string): DiskConfig {
  const found = config.disks.find(({ index }) => `DSK${index}` === key.toUpperCase());
  if (found !== undefined) return found;
  const keys = config.disks.map(({ index }) => `DSK${index}`);
  throw new QemuError('QEMU_DEVICE_UNKNOWN', `Machine "${config.longName}" has no disk "${key}"`, {
    hint: `in its file it has ${keys.length === 0 ? 'none' : keys.join(', ')}`,
  });
}

/**
 * The same for a command that lets the disk go on in another image.
 *
 * @throws {QemuError} `QEMU_USAGE` for a disk whose image cannot be exchanged.
 */
export function movableDisk(target: MachineRef, config: MachineConfig, key: string): DiskConfig {
  refuseJson(target);
  const disk = chosenDisk(config, key);
  const refuse = (why: string): QemuError => new QemuError('QEMU_USAGE', `Cannot move ${key.toUpperCase()}: ${why}`);
  if (disk.snapshot) throw refuse('with snapshot=on nothing of it is kept');
  if (disk.readonly) throw refuse('it is readonly; copy its file while the machine is stopped');
  if (disk.key !== undefined) throw refuse('it is encrypted, and the copy would not be');
  return disk;
}

/**
 * A machine that runs may have been started with another image than its file names now.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE`
 */
export function requireSame(target: MachineRef, { file }: DiskConfig, now: DiskNow): void {
  if (isSameFile(now.layers[0].file, file)) return;
  throw new QemuError(
    'QEMU_MACHINE_STATE',
    `${now.key} of machine "${target.longName}" is "${now.layers[0].file}" as it runs, but "${file}" in its file`,
    { hint: `make them the same: ${shellCommand('qemu-init', 'restart', target.longName)}` },
  );
}
