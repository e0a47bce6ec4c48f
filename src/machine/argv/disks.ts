import { join } from 'node:path';
import { quoteComma } from '../../base/text.ts';
import type { DiskConfig } from '../../config/types.ts';
import { type Chipset, pciPlace, slotFillers } from './chipset.ts';
import { type Option, option, properties } from './option.ts';
import type { DriveFormat } from './request.ts';

/** Ports of one AHCI controller (ICH9 and the `ich9-ahci` device have six). */
export const AHCI_PORTS = 6;

/** The drives of DSK1 … and the controllers that they need. */
export function diskOptions(
  disks: readonly DiskConfig[],
  drives: readonly DriveFormat[],
  keysDir: string,
  chipset: Chipset,
  bootIndex: ReadonlyMap<string, number>,
): Option[] {
  return [
    ...controllers(disks, chipset),
    ...slotFillers(chipset, 'disk', disks.map(isPci)).map((device) => option('DSK', '-device', device)),
    ...disks.flatMap((disk, at) => {
      const key = `DSK${disk.index}`;
      const id = `dsk${disk.index}`;
      return [
        ...(disk.key === undefined
          ? []
          : [option(key, '-object', `secret,id=${id}-key,file=${quoteComma(keyCopy(keysDir, disk))}`)]),
        option(key, '-drive', driveValue(disk, id, drives[at] ?? RAW)),
        option(key, '-device', deviceValue(disk, id, chipset, bootIndex.get(key), disks.length)),
      ];
    }),
  ];
}

const RAW: DriveFormat = { format: 'raw', properties: [] };

/** The copy of a disk's key that QEMU reads. The key itself may be in a place that its user cannot reach. */
export function keyCopy(keysDir: string, { index }: DiskConfig): string {
  return join(keysDir, `dsk${index}`);
}

function isPci(disk: DiskConfig): boolean {
  return disk.interface === 'virtio' || disk.interface === 'nvme';
}

function driveValue(disk: DiskConfig, id: string, { format, properties: further }: DriveFormat): string {
  return properties(
    `file=${quoteComma(disk.file)}`,
    `format=${format}`,
    'if=none',
    `id=${id}`,
    `snapshot=${disk.snapshot ? 'on' : 'off'}`,
    disk.readonly && 'readonly=on',
    disk.cache !== undefined && `cache=${disk.cache}`,
    disk.aio !== undefined && `aio=${disk.aio}`,
    disk.discard !== undefined && `discard=${disk.discard}`,
    ...further,
  );
}

function deviceValue(
  disk: DiskConfig,
  id: string,
  chipset: Chipset,
  bootIndex: number | undefined,
  count: number,
): string {
  const at = disk.index - 1;
  const tail = [
    bootIndex !== undefined && `bootindex=${bootIndex}`,
    disk.serial !== undefined && disk.interface !== 'nvme' && `serial=${quoteComma(disk.serial)}`,
  ];
  switch (disk.interface) {
    case 'virtio':
      return properties(
        virtioBlock(chipset),
        `drive=${id}`,
        `id=${id}-dev`,
        pciPlace(chipset, 'disk', at, count),
        ...tail,
      );
    case 'nvme':
      // A serial number is mandatory for NVMe (QEMU refuses the device without one).
      return properties(
        'nvme',
        `drive=${id}`,
        `id=${id}-dev`,
        `serial=${quoteComma(disk.serial ?? id)}`,
        pciPlace(chipset, 'disk', at, count),
        bootIndex !== undefined && `bootindex=${bootIndex}`,
      );
    case 'scsi':
      return properties('scsi-hd', 'bus=scsi0.0', `scsi-id=${at}`, `drive=${id}`, `id=${id}-dev`, ...tail);
    case 'ide':
      return properties('ide-hd', idePlace(at, chipset), `drive=${id}`, `id=${id}-dev`, ...tail);
    case 'sata':
      return properties('ide-hd', sataPlace(at), `drive=${id}`, `id=${id}-dev`, ...tail);
    default:
      return disk.interface satisfies never;
  }
}

function virtioBlock(chipset: Chipset): string {
  return chipset === 'other' ? 'virtio-blk' : 'virtio-blk-pci';
}

/** The first two IDE disks of `pc` are master and slave of the primary channel; elsewhere IDE means AHCI. */
function idePlace(at: number, chipset: Chipset): string {
  return isOnPiix(at, chipset) ? `bus=ide.0,unit=${at}` : sataPlace(at);
}

function sataPlace(at: number): string {
  return `bus=sata${Math.floor(at / AHCI_PORTS)}.${at % AHCI_PORTS}`;
}

function isOnPiix(at: number, chipset: Chipset): boolean {
  return chipset === 'pc' && at < 2;
}

function controllers(disks: readonly DiskConfig[], chipset: Chipset): Option[] {
  const options: Option[] = [];
  const ahci = new Set<number>();
  for (const disk of disks) {
    const at = disk.index - 1;
    const needsAhci = disk.interface === 'sata' || (disk.interface === 'ide' && !isOnPiix(at, chipset));
    if (needsAhci) ahci.add(Math.floor(at / AHCI_PORTS));
  }
  // Function 0 has to exist for the others to be found: all controllers up to the last one used.
  const last = Math.max(-1, ...ahci);
  for (let index = 0; index <= last; index++) {
    options.push(option('DSK', '-device', ahciController(`sata${index}`, chipset, 'sataDisks', index, last + 1)));
  }
  return options;
}

/** An AHCI controller with six ports. */
export function ahciController(
  id: string,
  chipset: Chipset,
  family: 'sataDisks' | 'sataCdroms',
  index: number,
  count: number,
): string {
  return properties('ich9-ahci', `id=${id}`, pciPlace(chipset, family, index, count));
}
