import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Domain, TransientMachine } from '../../src/index.ts';
import { until } from '../support/lab.ts';
import { GUEST_MS, LINUX_READY, linuxGuest } from '../support/linux-guest.ts';
import { tempDir } from '../support/temp-root.ts';

/** Emulated Linux on a busy host. */
const JOB = { timeoutMs: 60_000 };
const SECTOR_BYTES = 512;
const DISK_BYTES = 4 * 1024 * 1024;

/**
 * Numbers the sectors of the disk one after the other until it is told to stop. A number that it prints is that of a sector
 * which is on the disk by then. Each line begins with a new one: the shell's prompt stands on the same serial port.
 */
const WRITER = `
writer() {
  i=0
  while [ ! -e /tmp/stop ] && [ $i -lt 8000 ]; do
    i=$((i + 1))
    echo "sector $i" | dd of=/dev/vda bs=512 seek=$i conv=notrunc 2>/dev/null
    [ $((i % 5)) = 0 ] && sync && printf '\\nwritten %s.\\n' $i >/dev/ttyS0
  done
  sync
  printf '\\nstopped at %s.\\n' $i >/dev/ttyS0
}
writer &
`;

test('a Linux guest that writes all the time loses nothing over snapshot, commit and mirror', async (t) => {
  const dir = tempDir(t);
  const disk = join(dir, 'disk.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, String(DISK_BYTES)]);
  const { kernel, initrd, append } = linuxGuest(dir, { script: WRITER });
  const machine = new TransientMachine({
    name: 'writer',
    args: [
      ...['-accel', 'tcg', '-nodefaults', '-cpu', 'max', '-m', '256', '-kernel', kernel, '-initrd', initrd],
      ...['-append', append, '-blockdev', `driver=file,node-name=file0,filename=${disk}`],
      ...['-blockdev', 'driver=qcow2,node-name=base0,file=file0', '-device', 'virtio-blk-pci,id=disk0,drive=base0'],
    ],
  });
  t.after(() => machine.kill());
  machine.setMachine('q35');
  machine.setConsole();
  await machine.launch();
  let text = '';
  machine.console.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  const printed = (pattern: RegExp, from = 0): Promise<void> =>
    until(`the guest prints ${pattern}`, () => pattern.test(text.slice(from)), GUEST_MS);
  /** Waits for sectors that are written from now on, and returns the number of the last of them. */
  const more = async (): Promise<number> => {
    const from = text.length;
    await printed(/^written \d+\.[\s\S]*^written \d+\./m, from);
    return Number([...text.matchAll(/^written (\d+)\./gm)].at(-1)?.[1]);
  };
  const domain = new Domain(machine.qmp, 'writer');
  const drive = () => domain.blockDevice('disk0');
  await printed(new RegExp(LINUX_READY));
  await more();

  const overlay = join(dir, 'overlay.qcow2');
  await (await drive()).snapshot(overlay, 'overlay0');
  assert.equal((await drive()).inserted?.file, overlay);
  assert.equal((await drive()).inserted?.image.backingImage?.filename, disk);
  await more();
  const commit = await (await drive()).commit('commit0', JOB);
  await more();
  await commit.complete(JOB);
  assert.equal((await drive()).inserted?.file, disk);
  const inDisk = await more();

  const copy = join(dir, 'copy.raw');
  const mirror = await (await drive()).mirror(copy, 'mirror0', JOB);
  await more();
  await mirror.complete(JOB);
  assert.equal((await drive()).inserted?.file, copy);
  await more();
  assert.deepEqual(await domain.blockJobs(), []);
  assert.ok(((await domain.blockStats())[0]?.writeOperations ?? 0) > 0);

  machine.console.write('touch /tmp/stop\n');
  await printed(/^stopped at \d+\./m);
  const inCopy = Number(/^stopped at (\d+)\./m.exec(text)?.[1]);
  await machine.shutdown({ graceful: true, timeoutMs: GUEST_MS });

  assert.ok(inCopy >= inDisk, `${inCopy}, ${inDisk}`);
  const wanted = join(dir, 'wanted.raw');
  writeFileSync(wanted, imageOf(inCopy));
  execFileSync('qemu-img', ['compare', '-q', '-f', 'raw', '-F', 'raw', wanted, copy]);
  for (const image of [disk, overlay]) execFileSync('qemu-img', ['check', '-q', image]);
  execFileSync('qemu-img', ['convert', '-O', 'raw', disk, join(dir, 'disk.raw')]);
  // It was written to until the drive went on in the copy.
  const end = (inDisk + 1) * SECTOR_BYTES;
  const found = readFileSync(join(dir, 'disk.raw')).subarray(0, end);
  assert.ok(found.equals(imageOf(inDisk).subarray(0, end)), `sectors 1 to ${inDisk}`);
});

/** What the disk holds after the given number of sectors. */
function imageOf(sectors: number): Buffer {
  const image = Buffer.alloc(DISK_BYTES);
  for (let at = 1; at <= sectors; at++) image.write(`sector ${at}\n`, at * SECTOR_BYTES, 'latin1');
  return image;
}
