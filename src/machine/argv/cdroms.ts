import type { CdromConfig } from '../../config/device-config.ts';
import { type Chipset, pciPlace } from './chipset.ts';
import { type Device, type Drive, device, type Place, type Properties } from './description.ts';
import { AHCI_PORTS, ahciController } from './disks.ts';

/**
 * The drives of CDR1 … and the controllers that they need.
 *
 * @param hasSeed another device may be in the slot of further controllers.
 */
export function cdromParts(
  cdroms: readonly CdromConfig[],
  chipset: Chipset,
  bootIndex: ReadonlyMap<string, number>,
  hasSeed: boolean,
): (Device | Drive)[] {
  return [
    ...controllers(cdroms, chipset, hasSeed),
    ...cdroms.flatMap((cdrom) => {
      const drive = driveOf(cdrom);
      const { key, id } = drive;
      const { properties, ...place } = placeOf(cdrom.index - 1, chipset);
      const bootindex = bootIndex.get(key);
      const driver = hasIde(chipset) ? 'ide-cd' : 'scsi-cd';
      return [drive, device(key, driver, { drive, id: `${id}-dev`, ...place }, { ...properties, bootindex })];
    }),
  ];
}

function driveOf({ index, file }: CdromConfig): Drive {
  const image = file === undefined ? undefined : { file, format: 'raw' };
  return {
    kind: 'drive',
    key: `CDR${index}`,
    id: `cdr${index}`,
    media: 'cdrom',
    image,
    readonly: true,
    snapshot: false,
  };
}

/** Whether the board's CD-ROMs are IDE or SATA; other boards have them on the SCSI controller. */
export function hasIde(chipset: Chipset): boolean {
  return chipset === 'q35' || chipset === 'pc';
}

/** Drives that the board's own controller takes: six ports of ICH9, or the secondary channel of PIIX. */
function onBoard(chipset: Chipset): number {
  return chipset === 'q35' ? AHCI_PORTS : 2;
}

/** SCSI ids from here on are CD-ROMs; disks count from 0. */
const FIRST_SCSI_CDROM = 128;

function placeOf(at: number, chipset: Chipset): Place & { readonly properties?: Properties } {
  if (!hasIde(chipset)) return { bus: 'scsi0.0', properties: { 'scsi-id': FIRST_SCSI_CDROM + at } };
  if (at < onBoard(chipset)) {
    return chipset === 'q35' ? { bus: `ide.${at}` } : { bus: 'ide.1', properties: { unit: at } };
  }
  const further = at - onBoard(chipset);
  return { bus: `cdrom${Math.floor(further / AHCI_PORTS)}.${further % AHCI_PORTS}` };
}

/** Whether there are more drives than the board's own controller takes. */
export function hasCdromController(cdroms: readonly CdromConfig[], chipset: Chipset): boolean {
  return hasIde(chipset) && cdroms.length > onBoard(chipset);
}

function controllers(cdroms: readonly CdromConfig[], chipset: Chipset, hasSeed: boolean): Device[] {
  if (!hasCdromController(cdroms, chipset)) return [];
  const count = Math.ceil((cdroms.length - onBoard(chipset)) / AHCI_PORTS);
  return Array.from({ length: count }, (_, index) => {
    const key = `CDR${onBoard(chipset) + index * AHCI_PORTS + 1}`;
    return ahciController(
      key,
      `cdrom${index}`,
      pciPlace(chipset, 'sataCdroms', index, hasSeed && chipset === 'q35' ? count + 1 : count),
    );
  });
}
