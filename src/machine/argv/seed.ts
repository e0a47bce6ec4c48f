import type { MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { hasCdromController } from './cdroms.ts';
import { type Chipset, pciPlace } from './chipset.ts';
import { type Drive, device, type Part, type Place } from './description.ts';
import { virtioBlock } from './disks.ts';

/**
 * The seed of CLOUDINIT. It is a virtio disk, since the kernels of cloud images have no driver for a CD-ROM of q35; and
 * it comes after all other disks, since Linux numbers `/dev/vdX` by their places. It is never booted from.
 */
export function seedParts(
  config: Pick<MachineConfig, 'cloudInit' | 'cdroms'>,
  { seed }: Pick<MachinePaths, 'seed'>,
  chipset: Chipset,
): Part[] {
  if (config.cloudInit === undefined) return [];
  const key = 'CLOUDINIT';
  const drive: Drive = {
    kind: 'drive',
    key,
    id: 'seed',
    media: 'disk',
    image: { file: seed, format: 'raw' },
    readonly: true,
    snapshot: false,
  };
  const place = placeOf(config, chipset);
  return [drive, device(key, virtioBlock(chipset), { drive, id: 'seed-dev', ...place }, { serial: 'cidata' })];
}

/** The slot of the controllers of further CD-ROMs, past any that there can be on q35; those of `pc` can fill it. */
function placeOf({ cdroms }: Pick<MachineConfig, 'cdroms'>, chipset: Chipset): Place {
  const place = pciPlace(chipset, chipset === 'pc' ? 'seed' : 'sataCdroms');
  return chipset === 'q35' && hasCdromController(cdroms, chipset) ? { ...place, addr: `${place.addr}.7` } : place;
}
