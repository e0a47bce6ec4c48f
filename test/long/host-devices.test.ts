import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Guest } from '../network/machines.ts';
import { nestedHost } from '../network/nested-host.ts';
import { enterOwnNamespace } from '../network/own-namespace.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';

await enterOwnNamespace();

/** Its guests are emulated by an emulated host: QEMU needs seconds there for what takes milliseconds here. */
const SLOW_MS = 300_000;

const STICK = { usb: '46f4:0001', node: '/dev/sda' };
const DISK = { pci: '0000:00:0a.0', node: '/dev/nvme0n1' };

/** What machines of the nested host have: QEMU is another user, in its sandbox. */
const COMMON = ['RAM=64M', 'KVM=off', 'VNC=off', 'VGA=none', 'RUNAS=nobody', 'SANDBOX=on'];

/** A host with a USB stick, and with an NVMe disk that an IOMMU is in front of: each has the boot sector of the tiny guest. */
async function deviceHost(t: Cleanup): Promise<Guest> {
  const tinyDisk = guestDisk(tempDir(t));
  const image = (dir: string, name: string): string => {
    const file = join(dir, `${name}.img`);
    copyFileSync(tinyDisk, file);
    return `-blockdev driver=file,filename=${file},node-name=${name}`;
  };
  const host = await nestedHost(t, {
    kernel: 'full',
    modules: ['xhci_pci', 'usb_storage', 'sd_mod', 'nvme', 'vfio_iommu_type1', 'vfio_pci'],
    append: 'intel_iommu=on',
    hardware: ['RAM=1G', 'SMP=2'],
    custom: (dir) => [
      '-device intel-iommu,intremap=on',
      image(dir, 'stick'),
      '-device qemu-xhci,id=xhci,addr=0x09',
      '-device usb-storage,bus=xhci.0,port=2,drive=stick,serial=STICK',
      image(dir, 'disk'),
      '-device nvme,addr=0x0a,drive=disk,serial=DISK',
    ],
    files: {},
  });
  await host.sh("echo root:x:0:0::/:/bin/sh >/etc/passwd; echo 'nobody:x:65534:65534::/:/bin/false' >>/etc/passwd");
  await host.sh('echo root:x:0: >/etc/group; echo nogroup:x:65534: >>/etc/group');
  return host;
}

async function register(host: Guest, name: string, line: string): Promise<void> {
  const text = [...COMMON, line].join('\n');
  await host.sh(
    `cat >/etc/qemu/${name}-qemu.cfg <<'END'\n${text}\nEND\necho ${name}=${name} >>/etc/qemu/qemu-init.reg`,
  );
}

/** The guest has nothing else to boot from: it has read the device. */
async function boots(host: Guest, name: string): Promise<void> {
  await host.sh(`qemu-init wait --for console='tiny guest ready' --timeout 240 ${name}`, SLOW_MS);
  assert.match(await host.sh(`qemu-init status ${name}`, SLOW_MS), / running /);
}

/** The driver of the host has the device again, and reads from it what the guest had there. */
async function isBack(host: Guest, { node }: { readonly node: string }): Promise<void> {
  await host.sh(`until [ -b ${node} ]; do sleep 0.2; done`);
  assert.match(await host.sh(`head -c 512 ${node} | strings`), /tiny guest ready/);
}

async function mayNotBeThere(host: Guest, { node }: { readonly node: string }): Promise<void> {
  assert.equal(await host.succeeds(`[ -b ${node} ]`), false, `${node} is the guest's`);
}

async function killQemu(host: Guest, name: string): Promise<void> {
  const pid = (await host.sh(`cat /run/qemu-init/${name}/qemu/pid`)).trim();
  await host.sh(`kill -9 ${pid}; while [ -d /proc/${pid} ]; do sleep 0.2; done`);
}

test('a USB stick is booted from by a guest, detached, attached, and the host has it back after that and after a stop', {
  timeout: 1_100_000,
}, async (t) => {
  const host = await deviceHost(t);
  await isBack(host, STICK);
  await register(host, 'web', `USB1=${STICK.usb}`);
  await host.sh('qemu-init start web', SLOW_MS);
  await mayNotBeThere(host, STICK);
  await boots(host, 'web');
  assert.match(await host.sh('ls -ln /dev/bus/usb/002/002'), / 0 /, 'its node is again what it was');

  await host.sh('qemu-init detach web USB1', SLOW_MS);
  await isBack(host, STICK);
  await host.sh('qemu-init reload web', SLOW_MS);
  await mayNotBeThere(host, STICK);
  assert.match(await host.sh("qemu-cmd -c 'info usb' web", SLOW_MS), /QEMU USB HARDDRIVE, ID: usb1/);

  // The kernel gives its driver nothing back that a program had which was killed.
  await killQemu(host, 'web');
  await host.sh('echo 2-2:1.0 >/sys/bus/usb/drivers_probe');
  await isBack(host, STICK);
  await host.sh('qemu-init start web', SLOW_MS);
  await killQemu(host, 'web');
  await host.sh('qemu-init start web', SLOW_MS);
  await boots(host, 'web');
  await host.sh('qemu-init stop web', SLOW_MS);
  await isBack(host, STICK);
});

test('an NVMe disk is booted from by a guest over VFIO, and the host has it back when the machine is stopped or killed', {
  timeout: 1_100_000,
}, async (t) => {
  const host = await deviceHost(t);
  await isBack(host, DISK);
  await register(host, 'web', `PCI1=${DISK.pci}`);
  assert.match(
    await host.sh('qemu-init start web 2>&1 || true', SLOW_MS),
    /has the driver "nvme" of the host, not vfio/,
  );
  await isBack(host, DISK);

  const driver = `/sys/bus/pci/devices/${DISK.pci}`;
  const probe = `echo ${DISK.pci} >/sys/bus/pci/drivers_probe`;
  const give = `echo ${DISK.pci} >${driver}/driver/unbind; echo vfio-pci >${driver}/driver_override; ${probe}`;
  const takeBack = `echo ${DISK.pci} >${driver}/driver/unbind; echo >${driver}/driver_override; ${probe}`;
  await host.sh(give);
  await mayNotBeThere(host, DISK);
  await host.sh('qemu-init start web', SLOW_MS);
  await boots(host, 'web');
  assert.match(await host.sh('qemu-init save web 2>&1 || true', SLOW_MS), /PCI1 is a device of the host/);
  await host.sh('qemu-init stop web', SLOW_MS);
  await host.sh(takeBack);
  await isBack(host, DISK);

  await host.sh(give);
  await host.sh('qemu-init start web', SLOW_MS);
  await killQemu(host, 'web');
  await host.sh(takeBack);
  await isBack(host, DISK);
});
