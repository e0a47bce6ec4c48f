import assert from 'node:assert/strict';
import { copyFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIGHT, until } from '../support/lab.ts';
import { GUEST_MS, LINUX_READY, linuxGuest } from '../support/linux-guest.ts';
import type { Container } from '../support/nspawn.ts';
import { consoleOf } from './machines.ts';

/** Emulated Linux on a busy host. */
/** The last thing that the guest does, after its file system is unmounted: to write this to its second disk. */
const MARKER = 'unmounted';

/** The guest has unmounted its file system, so that its journal has nothing to replay. */
export function assertClean(host: Container, name: string, how: string, folder = '/etc/qemu'): void {
  const marker = join(folder, `${name}.marker`);
  assert.equal(host.read(marker).slice(0, MARKER.length), MARKER, `${name}, ${how}`);
  const superblock = host.sh('dumpe2fs -h "$1" 2>/dev/null', join(folder, `${name}.img`));
  assert.match(superblock, /^Last mounted on: +\/tmp\/data$/m);
  assert.match(superblock, /^Filesystem state: +clean$/m);
  assert.doesNotMatch(superblock, /needs_recovery/);
  host.write(marker, Buffer.alloc(1024 * 1024));
}

/** Waits for the guest's nth boot: its console log goes on from run to run. */
export async function isUp(host: Container, name: string, boots: number): Promise<void> {
  await until(`${name} is up`, () => consoleOf(host, name).split(LINUX_READY).length > boots, GUEST_MS);
}

/** A guest that writes to its first disk all the time and, when the power button is pressed, leaves it clean. */
export function addLinux(host: Container, name: string, folder = '/etc/qemu'): void {
  const dir = join(host.dir, folder);
  const button = `#!/bin/sh\nkillall writer\nsync\numount /tmp/data && echo ${MARKER} >/dev/vdb\nsync\npoweroff -f\n`;
  const { kernel, append } = linuxGuest(dir, {
    modules: ['ext4'],
    script: 'mkdir -p /tmp/data\nmount -t ext4 /dev/vda /tmp/data && date >/tmp/data/began\n/etc/writer &',
    files: {
      '/etc/acpi/PWRF/00000080': button,
      '/etc/writer': '#!/bin/sh\nwhile sleep 0.2; do date >>/tmp/data/log; sync; done\n',
    },
  });
  copyFileSync(kernel, join(dir, 'vmlinuz'));
  for (const file of [`${name}.img`, `${name}.marker`]) {
    writeFileSync(join(dir, file), '');
    truncateSync(join(dir, file), file.endsWith('.img') ? 16 * 1024 * 1024 : 1024 * 1024);
  }
  const disks = `DSK1=${name}.img,format=raw\nDSK2=${name}.marker,format=raw\n`;
  const boot = `KERNEL=vmlinuz\nINITRD=initrd\nAPPEND="${append}"\n`;
  host.write(join(folder, `${name}-qemu.cfg`), `${LIGHT.replace('RAM=8M', 'RAM=256M')}${disks}${boot}`);
  host.sh('cd "$2"; mkfs.ext4 -q "$1.img"; chown qemu "$1.img" "$1.marker"; chmod 644 vmlinuz initrd', name, folder);
  if (folder === '/etc/qemu') host.sh('echo "$1=$1" >>/etc/qemu/qemu-init.reg', name);
}
