import { basename, dirname } from 'node:path';
import type { DiskConfig } from '../../config/device-config.ts';
import { renderDisk } from '../../config/disk.ts';
import { renderFirmware } from '../../config/hardware/hardware.ts';
import { renderNic } from '../../config/nic.ts';
import { setKey } from '../../config/text/edit-text.ts';
import type { MachineConfig } from '../../config/types.ts';

/** A disk as it is after the restore. */
export interface RestoredDisk {
  readonly disk: DiskConfig;
  readonly path: string;
  readonly format: string;
}

/** What is different from the backup. */
export interface CfgChanges {
  /** Of the file that is written. */
  readonly configPath: string;
  readonly disks: readonly RestoredDisk[];
  /** Where the variables of the firmware are, when the file names them and they are elsewhere now. */
  readonly firmwareVariables: string | undefined;
  /** Name of a copy that is a machine for itself. */
  readonly as: string | undefined;
  /** For {@link MachineConfig.vmGenerationId} and, of a copy, {@link MachineConfig.uuid}. */
  readonly newUuid: () => string;
}

/**
 * The text of the cfg file of a restored machine: that of the backup with its comments, and in it
 *
 * - the images where they are now, each with the format that it has: the guest of a raw disk could have given it the
 *   header of another;
 * - another VM generation id, since the guest goes back in time;
 * - of a copy the name, a UUID and MAC addresses of its own.
 *
 * @param config the same text, read for `configPath`. Pure.
 */
export function restoredCfg(text: string, config: MachineConfig, changes: CfgChanges): string {
  const { configPath, disks, firmwareVariables, as, newUuid } = changes;
  const isStated = (key: string): boolean => config.origins.get(key)?.file === configPath;
  const edits: [key: string, value: string][] = [];
  for (const { disk, path, format } of disks) {
    const isAsWritten = disk.file === path && disk.key === undefined && (disk.format ?? 'qcow2') === format;
    if (isAsWritten) continue;
    const file = dirname(path) === dirname(configPath) ? basename(path) : path;
    const written = disk.file === path && !isStated(`DSK${disk.index}`) ? path : file;
    edits.push([`DSK${disk.index}`, renderDisk({ ...disk, file: written, format, key: undefined })]);
  }
  if (firmwareVariables !== undefined) edits.push(['FIRMWARE', renderFirmware(config.firmware, firmwareVariables)]);
  if (config.vmGenerationId !== undefined) edits.push(['VMGENID', newUuid()]);
  if (as !== undefined) {
    if (isStated('NAME')) edits.push(['NAME', as]);
    if (config.origins.has('UUID')) edits.push(['UUID', newUuid()]);
    for (const nic of config.nics) {
      if (nic.mac !== undefined) edits.push([`NIC${nic.index}`, renderNic({ ...nic, mac: undefined })]);
    }
  }
  return edits.reduce((edited, [key, value]) => setKey(edited, key, value), text);
}
