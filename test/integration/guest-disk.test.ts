import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import {
  bootSector,
  DEFAULT_BANNER,
  DISK_BYTES,
  type GuestOptions,
  guestDisk,
  SPAM_LINE_BYTES,
} from '../support/guest-disk.ts';
import { type RawQemu, startQemu } from '../support/raw-qemu.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';

const DISKS = {
  virtio: ['-device', 'virtio-blk-pci,drive=d'],
  scsi: ['-device', 'virtio-scsi-pci', '-device', 'scsi-hd,drive=d'],
  sata: ['-device', 'ahci,id=sata', '-device', 'ide-hd,bus=sata.0,drive=d'],
  ide: ['-device', 'ide-hd,drive=d'],
  nvme: ['-device', 'nvme,serial=1,drive=d'],
};

function startGuest(t: Cleanup, options: GuestOptions = {}, device = DISKS.virtio, machine = 'q35'): RawQemu {
  const disk = guestDisk(tempDir(t), options);
  return startQemu(t, ['-machine', machine, '-m', '16', '-drive', `file=${disk},format=raw,if=none,id=d`, ...device]);
}

for (const machine of ['pc', 'q35']) {
  for (const [bus, device] of Object.entries(DISKS)) {
    test(`the tiny guest boots on ${machine} from ${bus} and goes down by the power button`, async (t) => {
      const qemu = startGuest(t, {}, device, machine);
      await qemu.waitForSerial(`${DEFAULT_BANNER}\r\n`);
      await qemu.powerdown();
      assert.deepEqual(await qemu.exited, { code: 0, signal: undefined });
      assert.equal(qemu.serial(), `${DEFAULT_BANNER}\r\n`);
    });
  }
}

test('a guest with presses=2 goes down at the second press only', async (t) => {
  const qemu = startGuest(t, { presses: 2, echo: true });
  await qemu.waitForSerial(DEFAULT_BANNER);
  await qemu.powerdown();
  // Its answer shows that it has lived through the first press.
  qemu.type('still here');
  await qemu.waitForSerial('STILL HERE');
  await qemu.powerdown();
  assert.equal((await qemu.exited).code, 0);
});

test('a deaf guest lives on after the power button', async (t) => {
  const qemu = startGuest(t, { deaf: true, echo: true });
  await qemu.waitForSerial(DEFAULT_BANNER);
  await qemu.powerdown();
  qemu.type('hello');
  await qemu.waitForSerial('HELLO');
});

test('an echoing guest sends back every byte of a long input in capitals', async (t) => {
  const qemu = startGuest(t, { echo: true, banner: '' });
  qemu.type('x');
  await qemu.waitForSerial('X');
  const text = 'The quick brown fox, {jumps} `over` 1 [lazy] dog.\n'.repeat(40);
  qemu.type(text);
  await qemu.waitForSerial(text.toUpperCase());
});

test('a guest with spamBytes prints numbered lines of 64 bytes and then goes down by itself', async (t) => {
  const qemu = startGuest(t, { banner: 'first', spamBytes: 20 * SPAM_LINE_BYTES, poweroffAfterBanner: true });
  assert.equal((await qemu.exited).code, 0);
  const [banner, ...lines] = qemu.serial().split('\r\n');
  assert.equal(banner, 'first');
  assert.equal(lines.pop(), '');
  assert.deepEqual(
    lines,
    Array.from({ length: 20 }, (_, i) => i.toString(16).toUpperCase().padStart(8, '0').padEnd(62, '.')),
  );
});

test('a guest that never stops printing still obeys the power button', async (t) => {
  const qemu = startGuest(t, { spamBytes: Infinity });
  await qemu.waitForSerial('\r\n00000100');
  await qemu.powerdown();
  assert.equal((await qemu.exited).code, 0);
});

test('an idle guest does not wake its QEMU more than a few times a second', async (t) => {
  const qemu = startGuest(t);
  await qemu.waitForSerial(DEFAULT_BANNER);
  const before = contextSwitches(qemu.pid);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const perSecond = contextSwitches(qemu.pid) - before;
  assert.ok(perSecond < 20, `${perSecond} context switches in a second`);
});

test('the disk is 1 MiB and its banner is limited to 60 bytes', (t) => {
  const disk = guestDisk(tempDir(t), { banner: 'x'.repeat(60), echo: true, presses: 3, spamBytes: Infinity });
  assert.equal(statSync(disk).size, DISK_BYTES);
  assert.deepEqual([...readFileSync(disk).subarray(510, 512)], [0x55, 0xaa]);
  assert.throws(() => bootSector({ banner: 'x'.repeat(61) }), RangeError);
});

/** Of the main thread, which serves the timers of all devices, and of the processor's thread; see proc(5). */
function contextSwitches(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^voluntary_ctxt_switches:\t(\d+)$/m.exec(status)?.[1]);
}
