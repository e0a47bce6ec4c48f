import { join } from 'node:path';
import type { DiskConfig } from '../../config/device-config.ts';
import { type Chipset, pciPlace, slotFillers } from './chipset.ts';
import {
  type Device,
  type Drive,
  device,
  type ImageNode,
  object,
  type Part,
  type Place,
  type Properties,
} from './description.ts';

/** Ports of one AHCI controller (ICH9 and the `ich9-ahci` device have six). */
export const AHCI_PORTS = 6;

/** The drives of DSK1 … and the controllers that they need. */
export function diskParts(
  disks: readonly DiskConfig[],
  images: readonly ImageNode[],
  keysDir: string,
  chipset: Chipset,
  bootIndex: ReadonlyMap<string, number>,
): Part[] {
  return [
    ...controllers(disks, chipset),
    ...slotFillers(chipset, 'disk', disks.map(isPci)),
    ...disks.flatMap((disk, at) => {
      const key = `DSK${disk.index}`;
      const drive = driveOf(disk, images[at] ?? { file: disk.file, format: 'raw' });
      return [
        ...keyParts(disk, keysDir),
        drive,
        ...(disk.ioThread ? [object(key, 'iothread', ioThreadOf(disk), {})] : []),
        diskDevice(disk, drive, chipset, bootIndex.get(key), disks.length),
      ];
    }),
  ];
}

/**
 * The nodes of disks and the keys that they need, without devices: for a QEMU that has no guest. What the guest would
 * lose with snapshot=on is of no interest there.
 */
export function diskNodeParts(disks: readonly DiskConfig[], images: readonly ImageNode[], keysDir: string): Part[] {
  return disks.flatMap((disk, at) => [
    ...keyParts(disk, keysDir),
    driveOf({ ...disk, snapshot: false }, images[at] ?? { file: disk.file, format: 'raw' }),
  ]);
}

function keyParts(disk: DiskConfig, keysDir: string): Part[] {
  if (disk.key === undefined) return [];
  return [object(`DSK${disk.index}`, 'secret', secretOf(disk), { file: keyCopy(keysDir, disk) })];
}

function ioThreadOf({ index }: DiskConfig): string {
  return `dsk${index}-io`;
}

/** Id of the object with the key of an encrypted disk. */
export function secretOf({ index }: Pick<DiskConfig, 'index'>): string {
  return `dsk${index}-key`;
}

/** The copy of a disk's key that QEMU reads. The key itself may be in a place that its user cannot reach. */
export function keyCopy(keysDir: string, { index }: Pick<DiskConfig, 'index'>): string {
  return join(keysDir, `dsk${index}`);
}

function isPci(disk: DiskConfig): boolean {
  return disk.interface === 'virtio' || disk.interface === 'nvme';
}

function driveOf(disk: DiskConfig, image: ImageNode): Drive {
  const { index, readonly, snapshot, cache, aio, discard, detectZeroes, rate } = disk;
  const id = `dsk${index}`;
  const how = { readonly, snapshot, cache, aio, discard, detectZeroes, rate };
  return { kind: 'drive', key: `DSK${index}`, id, media: 'disk', image, ...how };
}

function diskDevice(
  disk: DiskConfig,
  drive: Drive,
  chipset: Chipset,
  bootindex: number | undefined,
  count: number,
): Device {
  const at = disk.index - 1;
  const { key, id } = drive;
  const make = (driver: string, place: Place, properties: Properties = {}): Device =>
    device(key, driver, { drive, id: `${id}-dev`, ...place }, { ...properties, bootindex, serial: serialOf(disk, id) });
  // 1 is a device without a rotating medium (ATA8-ACS, word 217; SBC-3, VPD page B1h).
  const rotation = disk.ssd ? { rotation_rate: 1 } : {};
  switch (disk.interface) {
    case 'virtio':
      return make(virtioBlock(chipset), pciPlace(chipset, 'disk', at, count), {
        iothread: disk.ioThread ? ioThreadOf(disk) : undefined,
        'num-queues': disk.queues,
      });
    case 'nvme':
      return make('nvme', pciPlace(chipset, 'disk', at, count));
    case 'scsi':
      return make('scsi-hd', { bus: 'scsi0.0' }, { 'scsi-id': at, ...rotation });
    case 'ide':
      return isOnPiix(at, chipset)
        ? make('ide-hd', { bus: 'ide.0' }, { unit: at, ...rotation })
        : make('ide-hd', sataPlace(at), rotation);
    case 'sata':
      return make('ide-hd', sataPlace(at), rotation);
    default:
      return disk.interface satisfies never;
  }
}

/** QEMU refuses an NVMe disk without a serial number. */
function serialOf({ interface: bus, serial }: DiskConfig, id: string): string | undefined {
  return serial ?? (bus === 'nvme' ? id : undefined);
}

/** Driver of a virtio disk. */
export function virtioBlock(chipset: Chipset): string {
  return chipset === 'other' ? 'virtio-blk' : 'virtio-blk-pci';
}

function sataPlace(at: number): Place {
  return { bus: `sata${Math.floor(at / AHCI_PORTS)}.${at % AHCI_PORTS}` };
}

/** The first two IDE disks of `pc` are master and slave of the primary channel; elsewhere IDE means AHCI. */
function isOnPiix(at: number, chipset: Chipset): boolean {
  return chipset === 'pc' && at < 2;
}

function controllers(disks: readonly DiskConfig[], chipset: Chipset): Device[] {
  const needs = disks
    .filter(({ interface: bus, index }) => bus === 'sata' || (bus === 'ide' && !isOnPiix(index - 1, chipset)))
    .map(({ index }) => ({ key: `DSK${index}`, controller: Math.floor((index - 1) / AHCI_PORTS) }));
  // Guests find the other functions only if function 0 exists, so all controllers up to the last one used are made.
  const count = Math.max(-1, ...needs.map(({ controller }) => controller)) + 1;
  return Array.from({ length: count }, (_, index) => {
    const key = needs.find(({ controller }) => controller >= index)?.key ?? '';
    return ahciController(key, `sata${index}`, pciPlace(chipset, 'sataDisks', index, count));
  });
}

/** An AHCI controller with six ports. */
export function ahciController(key: string, id: string, place: Place): Device {
  return device(key, 'ich9-ahci', { id, ...place });
}
