/** A disk of a running machine that moves, and qemu-img(1) on the same disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeMachine, SIZE_MIB } from './backup.mjs';
import { medians, timeProgram } from './sampling.mjs';

/** Milliseconds, medians of a few rounds. The disk and its copies are on the file system for temporary files. */
export async function timeMirror(rounds = 3) {
  const dir = mkdtempSync(join(tmpdir(), 'qmi-'));
  const fleet = makeMachine(dir);
  const machine = fleet.machine(fleet.get('web'));
  let disk = join(dir, 'etc/qemu/web.qcow2');
  const copy = join(dir, 'copy.qcow2');
  try {
    await timeProgram('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', join(dir, 'raw'), disk]);
    rmSync(join(dir, 'raw'));
    await machine.launch();
    let copied = 0;
    let round = 0;
    const result = await medians(rounds, {
      convert: async () => {
        const elapsed = await timeProgram('qemu-img', ['convert', '-U', '-f', 'qcow2', '-O', 'qcow2', disk, copy]);
        rmSync(copy);
        return elapsed;
      },
      mirror: async () => {
        round += 1;
        const next = join(dir, `etc/qemu/web${round}.qcow2`);
        const began = performance.now();
        let first;
        copied = 0;
        const onProgress = ({ done, total }) => {
          first ??= performance.now();
          if (copied === 0 && total > 0 && done >= total) copied = performance.now() - first;
        };
        await machine.disks.mirror('DSK1', next, { onProgress });
        const elapsed = performance.now() - began;
        rmSync(disk);
        disk = next;
        return elapsed;
      },
      // Of the round that was just timed.
      copied: async () => copied,
    });
    return { ...result, sizeMib: SIZE_MIB };
  } finally {
    await machine.kill();
    rmSync(dir, { recursive: true, force: true });
  }
}
