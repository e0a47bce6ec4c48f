import { joinWords } from '../../config/text/shell-words.ts';
import type { MachineManager } from '../../fleet/machine-manager.ts';
import { previewMacsOf } from '../../fleet/macs.ts';
import type { MachineRef } from '../../machine/context.ts';
import { findImages } from '../../machine/storage/images.ts';
import type { ExportFormat } from './format.ts';
import { exportLibvirt } from './libvirt/domain.ts';
import type { ExportLoss } from './libvirt/losses.ts';

/** A machine as another program defines it. */
export interface ExportedMachine {
  readonly text: string;
  /** Keys that have no place there. */
  readonly lost: readonly ExportLoss[];
}

/**
 * A machine as a libvirt domain, with the formats of its images and its leased addresses as they are on this host, or as
 * a script with one option a line.
 *
 * @throws {ConfigError} when its file has mistakes.
 * @throws {QemuError} as `Fleet.commandLine`.
 */
export async function exportMachine(
  fleet: MachineManager,
  target: MachineRef,
  format: ExportFormat,
): Promise<ExportedMachine> {
  return format === 'libvirt' ? asDomain(fleet, target) : { text: await asScript(fleet, target), lost: [] };
}

function asDomain(fleet: MachineManager, target: MachineRef): ExportedMachine {
  const { paths } = fleet.host;
  const config = fleet.config(target);
  const { disks } = findImages(paths, config);
  const macs = previewMacsOf(paths, config);
  return exportLibvirt({
    config,
    formats: new Map(disks.map(({ disk, image }) => [disk.index, image.format])),
    macs: config.nics.map((nic) => nic.mac ?? macs.get(nic.index) ?? '').filter((mac) => mac !== ''),
  });
}

async function asScript(fleet: MachineManager, target: MachineRef): Promise<string> {
  const { wrapper, binary, options } = await fleet.commandLine(target);
  const lines = [[...wrapper, binary], ...options.map(({ args }) => args)].map(joinWords);
  return `#!/bin/sh\nexec ${lines.join(' \\\n  ')}\n`;
}
