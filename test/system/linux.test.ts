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
const ROUNDS = 4;

/** The last thing that the guest does, after its file system is unmounted: to write this to its second disk. */
const MARKER = 'unmounted';

describe('a Linux guest that writes to its file system, on a host with systemd', () => {
  const host = hostOfSuite();

  test('systemctl stop, systemctl restart and poweroff of the host let it unmount its file system', async () => {
    addLinux(host, 'linux');
    const check = (how: string): void => {
      assertClean(host, 'linux', how);
    };
    host.sh('systemctl daemon-reload');
    for (let boots = 0; boots < 3 * ROUNDS; ) {
      host.sh('systemctl start qemu@linux');
      await isUp(host, 'linux', ++boots);
      host.sh('systemctl restart qemu@linux');
      check('systemctl restart');
      await isUp(host, 'linux', ++boots);
      host.sh('systemctl stop qemu@linux');
      check('systemctl stop');
      host.sh('systemctl start qemu@linux');
      await isUp(host, 'linux', ++boots);
      await host.powerOff();
      await host.boot();
      check('poweroff');
    }
  });

  test('poweroff stops the guests of all machines, whichever way they were started, also while POSTCMD runs', async () => {
    for (const name of ['direct', 'paused', 'slow']) addLinux(host, name);
    host.sh('mkdir /srv/vm');
    addLinux(host, 'lone', '/srv/vm');
    host.sh('echo "POSTCMD=/bin/sleep 290" >>/etc/qemu/slow-qemu.cfg; systemctl daemon-reload');
    host.sh('qemu-init start --direct direct; qemu-init start /srv/vm/lone-qemu.cfg');
    host.sh('qemu-init start --paused paused; qemu-init resume paused; systemctl start --no-block qemu@slow');
    const names = ['direct', 'paused', 'slow', 'lone'];
    for (const name of names) await isUp(host, name, 1);
    assert.equal(host.show('qemu@slow', 'ActiveState'), 'activating');
    await host.powerOff();
    await host.boot();
    for (const name of names) assertClean(host, name, 'poweroff', name === 'lone' ? '/srv/vm' : undefined);
  });

  test('systemctl stop during POSTCMD, and stop typed then, stop the guest by the power button and at once', async () => {
    for (const [boots, stop] of ['systemctl stop qemu@slow', 'qemu-init stop slow'].entries()) {
      host.sh('systemctl start --no-block qemu@slow');
      await isUp(host, 'slow', boots + 2);
      host.sh(stop);
      assertClean(host, 'slow', stop);
      assert.equal(host.show('qemu@slow', 'ActiveState'), 'inactive');
    }
  });

  test('a name that another machine takes over in the registry costs the machine that runs nothing', async () => {
    host.sh('qemu-init start /srv/vm/lone-qemu.cfg; cp /etc/qemu/slow-qemu.cfg /etc/qemu/other-qemu.cfg');
    await isUp(host, 'lone', 2);
    for (const call of ['qemu-init register lone other', 'EDITOR="sed -i \\$alone=other" qemu-init edit --registry']) {
      const { code, stderr } = host.run(call);
      assert.equal(code, 6, call);
      assert.match(stderr, /"lone".* name of a machine that runs/, call);
    }
    host.sh('echo lone=other >>/etc/qemu/qemu-init.reg; systemctl daemon-reload');
    assert.match(host.run('qemu-init stop lone').stderr, /"lone".* name of a machine that runs/);
    host.sh('systemctl stop qemu@lone');
    assertClean(host, 'lone', 'stop', '/srv/vm');
  });
});

/** The guest has unmounted its file system, so that its journal has nothing to replay. */
function assertClean(host: Container, name: string, how: string, folder = '/etc/qemu'): void {
  const marker = join(folder, `${name}.marker`);
  assert.equal(host.read(marker).slice(0, MARKER.length), MARKER, `${name}, ${how}`);
  const superblock = host.sh('dumpe2fs -h "$1" 2>/dev/null', join(folder, `${name}.img`));
  assert.match(superblock, /^Last mounted on: +\/tmp\/data$/m);
  assert.match(superblock, /^Filesystem state: +clean$/m);
  assert.doesNotMatch(superblock, /needs_recovery/);
  host.write(marker, Buffer.alloc(1024 * 1024));
}

/** Waits for the guest's nth boot: its console log goes on from run to run. */
async function isUp(host: Container, name: string, boots: number): Promise<void> {
  await until(`${name} is up`, () => consoleOf(host, name).split(LINUX_READY).length > boots, BOOT_MS);
}

/** A guest that writes to its first disk all the time and, when the power button is pressed, leaves it clean. */
function addLinux(host: Container, name: string, folder = '/etc/qemu'): void {
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
