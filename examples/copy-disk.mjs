// Copies a disk of a running machine, as it is at one moment, without stopping it: node copy-disk.mjs ID DRIVE FILE
import { Fleet } from 'qemu-init';

const [id, drive, file] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node copy-disk.mjs ID DRIVE FILE');
  process.exit(2);
}
const fleet = Fleet.open();
const domain = await fleet.domain(fleet.get(id));
try {
  const device = await domain.blockDevice(drive);
  // Resolves when the copy has all that the disk has; from then on each write goes to both.
  const job = await device.mirror(file, 'copy', { format: 'qcow2', timeoutMs: 3_600_000 });
  // What the guest has written but not flushed would not be in it.
  await job.cancel();
  const { image } = device.inserted ?? {};
  console.log(`copied ${image?.virtualSize} bytes of ${drive} to ${file}`);
} finally {
  await domain.close();
}
