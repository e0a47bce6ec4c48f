import assert from 'node:assert/strict';
import { copyFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LIGHT, until } from '../support/lab.ts';
import { LINUX_READY, linuxGuest } from '../support/linux-guest.ts';
import type { Container } from '../support/nspawn.ts';
import { consoleOf, hostOfSuite } from './machines.ts';

/** Emulated Linux on a busy host. */
const BOOT_MS = 60_000;

/** Of three ends each: what goes wrong once in a while shows. */
const ROUNDS = 7;

/** The last thing that the guest does, after its file system is unmounted: to write this to its second disk. */
const MARKER = 'unmounted';

describe('a Linux guest with a file system, on a host with systemd', () => {
  const host = hostOfSuite();

  test('systemctl stop, systemctl restart and poweroff of the host let it unmount its file system', async () => {
    addLinux(host, 'linux');
    const check = (how: string): void => {
      assert.equal(host.read('/etc/qemu/linux.marker').slice(0, MARKER.length), MARKER, how);
      const superblock = host.sh('dumpe2fs -h /etc/qemu/linux.img 2>/dev/null');
      assert.match(superblock, /^Last mounted on: +\/tmp\/data$/m);
      assert.match(superblock, /^Filesystem state: +clean$/m);
      assert.doesNotMatch(superblock, /needs_recovery/);
      host.write('/etc/qemu/linux.marker', Buffer.alloc(1024 * 1024));
    };
    host.sh('systemctl daemon-reload');
    for (let boots = 0; boots < 3 * ROUNDS; ) {
      host.sh('systemctl start qemu@linux');
      await isUp(host, ++boots);
      host.sh('systemctl restart qemu@linux');
      check('systemctl restart');
      await isUp(host, ++boots);
      host.sh('systemctl stop qemu@linux');
      check('systemctl stop');
      host.sh('systemctl start qemu@linux');
      await isUp(host, ++boots);
      await host.powerOff();
      await host.boot();
      check('poweroff');
    }
  });
});

/** Waits for the guest's nth boot: its console log goes on from run to run. */
async function isUp(host: Container, boots: number): Promise<void> {
  await until('Linux is up', () => consoleOf(host, 'linux').split(LINUX_READY).length > boots, BOOT_MS);
}

/** A guest that mounts its first disk and, when the power button is pressed, leaves it clean. */
function addLinux(host: Container, name: string): void {
  const dir = join(host.dir, 'etc/qemu');
  const button = `#!/bin/sh\nsync\numount /tmp/data && echo ${MARKER} >/dev/vdb\nsync\npoweroff -f\n`;
  const { kernel, append } = linuxGuest(dir, {
    modules: ['ext4'],
    script: 'mkdir -p /tmp/data\nmount -t ext4 /dev/vda /tmp/data && date >/tmp/data/began',
    files: { '/etc/acpi/PWRF/00000080': button },
  });
  copyFileSync(kernel, join(dir, 'vmlinuz'));
  for (const file of [`${name}.img`, `${name}.marker`]) {
    writeFileSync(join(dir, file), '');
    truncateSync(join(dir, file), file.endsWith('.img') ? 16 * 1024 * 1024 : 1024 * 1024);
  }
  const disks = `DSK1=${name}.img,format=raw\nDSK2=${name}.marker,format=raw\n`;
  const boot = `KERNEL=vmlinuz\nINITRD=initrd\nAPPEND="${append}"\n`;
  host.write(`/etc/qemu/${name}-qemu.cfg`, `${LIGHT.replace('RAM=8M', 'RAM=256M')}${disks}${boot}`);
  host.sh(
    'cd /etc/qemu; mkfs.ext4 -q "$1.img"; chown qemu "$1.img" "$1.marker"; chmod 644 vmlinuz initrd; echo "$1=$1" >>qemu-init.reg',
    name,
  );
}
