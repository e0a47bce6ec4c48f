import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestDisk } from '../support/guest-disk.ts';
import { type Lab, lab } from '../support/lab.ts';

/** The guest on one of the disks greets, which shows that the BIOS found its way there. */
async function assertBoots(root: Lab, about: string): Promise<void> {
  await root.ok('start', 'web');
  const waited = await root.init('wait', 'web', '--for', 'console=ready', '--timeout', '30');
  assert.equal(waited.code, 0, `${about}: ${waited.stderr}`);
  await root.ok('stop', 'web', '--force');
}

for (const board of ['q35', 'pc']) {
  test(`a guest on ${board} boots from every kind of disk, wherever BOOT and the others leave it`, async (t) => {
    const root = lab(t);
    guestDisk(root.etcDir, { name: 'guest.img' });
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      root.write(`etc/qemu/${name}.img`, new Uint8Array(512));
    }
    root.write('etc/qemu/blank.iso', new Uint8Array(2048));
    root.add('web', 'DSK1=guest.img\n');
    const write = (lines: string): string =>
      root.write('etc/qemu/web-qemu.cfg', `RAM=8M\nKVM=off\nVNC=off\nVGA=none\nMACHINE=${board}\n${lines}`);

    for (const kind of ['virtio', 'ide', 'sata', 'scsi', 'nvme']) {
      write(`DSK1=guest.img,if=${kind}\nDSK2=a.img\nCDR1=blank.iso\nCDR2=empty\nBOOT=cdrom,disk\n`);
      await assertBoots(root, kind);
    }
    // Function 1 of a slot whose function 0 is no disk: the guest has to find it all the same.
    const others = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, at) => `DSK${at + 1}=${name}.img,if=sata\n`);
    // The BIOS tries one disk, the first.
    const order = '[custom]\n-set device.dsk9-dev.bootindex=0\n-set device.dsk1-dev.bootindex=20\n';
    write(`${others.join('')}DSK9=guest.img\n${order}`);
    await assertBoots(root, 'ninth');
  });
}
