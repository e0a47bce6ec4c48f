import { quoteComma } from '../../base/text.ts';
import type { CdromConfig } from '../../config/types.ts';
import type { Chipset } from './chipset.ts';
import { AHCI_PORTS, ahciController } from './disks.ts';
import { type Option, option, properties } from './option.ts';

/** The drives of CDR1 … and the controllers that they need. */
export function cdromOptions(
  cdroms: readonly CdromConfig[],
  chipset: Chipset,
  bootIndex: ReadonlyMap<string, number>,
): Option[] {
  return [
    ...controllers(cdroms, chipset),
    ...cdroms.flatMap((cdrom) => {
      const key = `CDR${cdrom.index}`;
      const id = `cdr${cdrom.index}`;
      const order = bootIndex.get(key);
      return [
        option(
          key,
          '-drive',
          properties(
            cdrom.file !== undefined && `file=${quoteComma(cdrom.file)}`,
            cdrom.file !== undefined && 'format=raw',
            'if=none',
            `id=${id}`,
            'media=cdrom',
            'readonly=on',
          ),
        ),
        option(
          key,
          '-device',
          properties(
            hasIde(chipset) ? 'ide-cd' : 'scsi-cd',
            place(cdrom.index - 1, chipset),
            `drive=${id}`,
            `id=${id}-dev`,
            order !== undefined && `bootindex=${order}`,
          ),
        ),
      ];
    }),
  ];
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

function place(at: number, chipset: Chipset): string {
  if (!hasIde(chipset)) return `bus=scsi0.0,scsi-id=${FIRST_SCSI_CDROM + at}`;
  if (at < onBoard(chipset)) return chipset === 'q35' ? `bus=ide.${at}` : `bus=ide.1,unit=${at}`;
  const further = at - onBoard(chipset);
  return `bus=cdrom${Math.floor(further / AHCI_PORTS)}.${further % AHCI_PORTS}`;
}

function controllers(cdroms: readonly CdromConfig[], chipset: Chipset): Option[] {
  if (!hasIde(chipset)) return [];
  const count = Math.ceil(Math.max(0, cdroms.length - onBoard(chipset)) / AHCI_PORTS);
  return Array.from({ length: count }, (_, index) =>
    option('CDR', '-device', ahciController(`cdrom${index}`, chipset, 'sataCdroms', index, count)),
  );
}
