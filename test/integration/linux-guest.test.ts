import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GUEST_MS, LINUX_ADDRESS, LINUX_READY, type LinuxGuestOptions, linuxGuest } from '../support/linux-guest.ts';
import { type RawQemu, startQemu } from '../support/raw-qemu.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';

/** Emulated Linux on a busy host. */
function startLinux(t: Cleanup, options: LinuxGuestOptions, args: readonly string[] = []): RawQemu {
  const { kernel, initrd, append } = linuxGuest(tempDir(t), options);
  const boot = ['-kernel', kernel, '-initrd', initrd, '-append', append];
  return startQemu(t, ['-machine', 'q35', '-cpu', 'max', '-m', '256', ...boot, ...args]);
}

test('the Linux guest gives a root shell on its serial port and goes down by the power button', async (t) => {
  const qemu = startLinux(t, { script: 'echo from the script >/dev/ttyS0' });
  await qemu.waitForSerial(LINUX_READY, GUEST_MS);
  assert.match(qemu.serial(), /from the script/);
  qemu.type('echo "user $(id -u)"\n');
  await qemu.waitForSerial('user 0');
  await qemu.powerdown();
  assert.deepEqual(await qemu.exited, { code: 0, signal: undefined });
});

test('the Linux guest has its virtio disk, and an address by DHCP', async (t) => {
  const disk = ['-drive', 'file=null-co://,format=raw,if=none,id=d', '-device', 'virtio-blk-pci,drive=d,serial=abc'];
  const nic = ['-netdev', 'user,id=n', '-device', 'virtio-net-pci,netdev=n'];
  const qemu = startLinux(t, {}, [...disk, ...nic]);
  await qemu.waitForSerial(`${LINUX_ADDRESS} 10.0.2.15`, GUEST_MS);
  await qemu.waitForSerial(LINUX_READY, GUEST_MS);
  qemu.type('echo "serial $(cat /sys/block/vda/serial)"\n');
  await qemu.waitForSerial('serial abc');
});
