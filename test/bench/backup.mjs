/** Backups of a machine that runs, and qemu-img(1) on the same disk. */
import { randomFillSync } from 'node:crypto';
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fleet } from '../../dist/lib/index.js';
import { medians, timeProgram } from './sampling.mjs';

const MIB = 1024 * 1024;
/** Of the disk of {@link makeMachine}. */
export const SIZE_MIB = 1024;

/** Milliseconds, medians of a few rounds. The disk and its copies are on the file system for temporary files. */
export async function timeBackups(rounds = 3) {
  const dir = mkdtempSync(join(tmpdir(), 'qbk-'));
  const fleet = makeMachine(dir);
  const machine = fleet.machine(fleet.get('web'));
  const [disk, dest, copy] = ['etc/qemu/web.qcow2', 'dest', 'copy.qcow2'].map((name) => join(dir, name));
  try {
    await timeProgram('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', join(dir, 'raw'), disk]);
    rmSync(join(dir, 'raw'));
    await machine.launch();
    let copied = 0;
    const result = await medians(rounds, {
      convert: async () => {
        const elapsed = await timeProgram('qemu-img', ['convert', '-U', '-f', 'qcow2', '-O', 'qcow2', disk, copy]);
        rmSync(copy);
        return elapsed;
      },
      full: async () => {
        rmSync(join(dest, 'web'), { recursive: true, force: true });
        const began = performance.now();
        copied = 0;
        const onProgress = ({ phase }) => {
          if (phase === 'checking' && copied === 0) copied = performance.now() - began;
        };
        await machine.backups.create(dest, { full: true, onProgress });
        return performance.now() - began;
      },
      // Of the round that was just timed.
      copied: async () => copied,
      incremental: async () => {
        const change = `qemu-io dsk1 "write -P 7 ${MIB} ${Math.ceil(SIZE_MIB / 100)}M"`;
        await machine.command('human-monitor-command', { 'command-line': change });
        const began = performance.now();
        await machine.backups.create(dest);
        return performance.now() - began;
      },
    });
    return { ...result, sizeMib: SIZE_MIB };
  } finally {
    await machine.kill();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A machine below a folder, and the contents of its disk in a file `raw` there. */
export function makeMachine(dir) {
  const etc = join(dir, 'etc/qemu');
  mkdirSync(etc, { recursive: true });
  mkdirSync(join(dir, 'dest'));
  writeFileSync(join(etc, 'web-qemu.cfg'), 'RAM=16M\nKVM=off\nDSK1=web.qcow2\n');
  writeFileSync(join(etc, 'monitor.conf'), 'MONPORT=27000\nVNCDISPLAY=6000\n');
  appendFileSync(join(etc, 'qemu-init.reg'), 'web=web\n');
  const raw = openSync(join(dir, 'raw'), 'w');
  const piece = Buffer.alloc(MIB);
  for (let at = 0; at < SIZE_MIB; at += 1) writeSync(raw, randomFillSync(piece));
  closeSync(raw);
  return Fleet.open({ root: dir, services: 'none' });
}
