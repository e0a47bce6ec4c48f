import type { MachineConfig } from '../../config/types.ts';
import { previewMacsOf } from '../../fleet/macs.ts';
import type { MachineContext } from '../../machine/context.ts';
import { findImages } from '../../machine/storage/images.ts';
import { type ExportedDomain, exportLibvirt } from './libvirt.ts';

/** A machine as a libvirt domain, with the formats of its images and its leased addresses as they are on this host. */
export function exportDomain({ paths }: MachineContext, config: MachineConfig): ExportedDomain {
  const { disks } = findImages(paths, config);
  const macs = previewMacsOf(paths, config);
  return exportLibvirt({
    config,
    formats: new Map(disks.map(({ disk, image }) => [disk.index, image.format])),
    macs: config.nics.map((nic) => nic.mac ?? macs.get(nic.index) ?? '').filter((mac) => mac !== ''),
  });
}
