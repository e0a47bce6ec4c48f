/** A disk that is plugged into a running machine. */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { medians, timeProgram } from './sampling.mjs';

const NAME = 'plugged';
/** Each round takes one of the eight ports, since the tiny guest releases none; one round is not counted. */
const ROUNDS = 7;
const DISK_BYTES = 1024 ** 2;

/**
 * Medians in milliseconds: `attach`, which ends when QEMU lists the disk, and `node`.
 *
 * @param {import('./lab.mjs').Lab} lab
 */
export async function timePlugging(lab) {
  const etc = join(lab.dir, 'etc/qemu');
  const images = Array.from({ length: ROUNDS + 1 }, (_, index) => join(etc, `${NAME}-${index}.raw`));
  for (const image of images) writeFileSync(image, Buffer.alloc(DISK_BYTES));
  writeFileSync(join(etc, `${NAME}-qemu.cfg`), 'RAM=32M\nKVM=off\n');
  appendFileSync(join(etc, 'qemu-init.reg'), `${NAME}=${NAME}\n`);
  await lab.time('qemu-init', 'start', NAME);
  let round = 0;
  try {
    return await medians(ROUNDS, {
      attach: () => {
        const disk = `DSK${round + 1}=${images[round]},format=raw`;
        round += 1;
        return lab.time('qemu-init', 'attach', NAME, disk);
      },
      node: () => timeProgram(process.execPath, ['-e', '0']),
    });
  } finally {
    await lab.time('qemu-init', 'kill', NAME);
    await lab.time('qemu-init', 'unregister', NAME);
    for (const image of images) rmSync(image);
  }
}
