import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { agentFiles, RUN_AGENT } from './guest-agent.ts';
import { type LinuxGuest, linuxGuest } from './linux-guest.ts';
import { repoRoot } from './repo.ts';
import { staticProgram } from './static-program.ts';

/**
 * A Linux guest that writes without end to each of its disks (`vda`, `vdb` …; ext4): numbered records with a checksum, one
 * fdatasync each. What it prints is read by {@link lastWritten}, what is on a disk by {@link checkRecords}.
 */
export interface WriterGuestOptions {
  /** How many virtio disks it has (default: 1). */
  readonly disks?: number | undefined;
  /** Runs a guest agent; the machine needs QGA=on. */
  readonly agent?: boolean | undefined;
}

/** Makes the guest; its initramfs is written into `dir`. The machine needs {@link writerMachine}. */
export function writerGuest(dir: string, { disks = 1, agent = false }: WriterGuestOptions = {}): LinuxGuest {
  const letters = Array.from({ length: disks }, (_, at) => `vd${String.fromCharCode(97 + at)}`);
  const write = letters.map(
    (disk) => `mkdir /tmp/${disk}
mount -t ext4 /dev/${disk} /tmp/${disk}
writer /tmp/${disk}/records ${disk} >/dev/ttyS0 2>&1 </dev/null &`,
  );
  return linuxGuest(dir, {
    modules: ['ext4'],
    files: {
      '/bin/writer': readFileSync(staticProgram(join(repoRoot, 'test/support/writer.c'))),
      ...(agent ? agentFiles() : {}),
    },
    script: `echo "boot $(cat /proc/sys/kernel/random/boot_id)" >/dev/ttyS0\n${write.join('\n')}\n${agent ? RUN_AGENT : ''}`,
  });
}

/** Lines of its cfg file, but for the disks. */
export function writerMachine({ kernel, initrd, append }: LinuxGuest): string {
  return `RAM=256M\nCPU=max\nKERNEL=${kernel}\nINITRD=${initrd}\nAPPEND=${append}\n`;
}

/** Makes a disk for it: an empty ext4, sparse. */
export function writerDisk(path: string, { format = 'qcow2', size = '64M' } = {}): string {
  const raw = `${path}.raw`;
  writeFileSync(raw, '');
  execFileSync('mkfs.ext4', ['-q', raw, size]);
  execFileSync('qemu-img', ['convert', '-O', format, raw, path]);
  rmSync(raw);
  return path;
}

/** Number of the last record that a guest has said to be on a disk; −1 before the first. */
export function lastWritten(console: string, disk = 'vda'): number {
  const lines = [...console.matchAll(new RegExp(`^wrote ${disk} (\\d+)\\r?$`, 'gm'))];
  return Number(lines.at(-1)?.[1] ?? -1);
}

/** What is on a disk. */
export interface Records {
  /** Number of the last record; −1 when there is none. */
  readonly last: number;
  /** Numbers of records that are not whole, or another one's. */
  readonly wrong: readonly number[];
  /** Whether the file system had been unmounted or frozen: nothing was left in its journal. */
  readonly isClean: boolean;
}

/** Reads the records on a disk, or on an overlay with what is below it. The images are only read. @throws when e2fsck finds damage. */
export function checkRecords(image: string, { format = 'qcow2', snapshot = '' } = {}): Records {
  const dir = mkdtempSync('/tmp/qi-records-');
  try {
    const raw = join(dir, 'raw');
    const of = snapshot === '' ? [] : ['-l', `snapshot.name=${snapshot.replaceAll(',', ',,')}`];
    execFileSync('qemu-img', ['convert', '-f', format, ...of, '-O', 'raw', image, raw]);
    const isClean = !needsReplay(raw);
    // Replays the journal; what is wrong after that is damage. Before it, bitmaps and counts differ from the inodes as a rule.
    const replay = spawnSync('e2fsck', ['-p', raw], { encoding: 'utf8' });
    const isReplayed = !needsReplay(raw);
    const check = spawnSync('e2fsck', ['-f', '-n', raw], { encoding: 'utf8' });
    if ((replay.status ?? 8) > 1 || !isReplayed || check.status !== 0) {
      const texts = [replay, check].map(
        ({ status, signal, stdout, stderr }) => `${status ?? signal}: ${stdout}${stderr}`,
      );
      throw new Error(`The file system on "${image}" is damaged (replayed: ${isReplayed}): ${texts.join('\n')}`);
    }
    execFileSync('debugfs', ['-R', `dump /records ${join(dir, 'records')}`, raw], { stdio: 'ignore' });
    return { ...readRecords(join(dir, 'records')), isClean };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function needsReplay(raw: string): boolean {
  const header = execFileSync('dumpe2fs', ['-h', raw], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return header.includes('needs_recovery');
}

const RECORD = 4096;

function readRecords(path: string): Omit<Records, 'isClean'> {
  const wrong: number[] = [];
  const record = Buffer.alloc(RECORD);
  let number = 0;
  // None was written yet.
  if (!existsSync(path)) return { last: -1, wrong };
  const file = openSync(path, 'r');
  try {
    for (; ; number += 1) {
      const length = readSync(file, record, 0, RECORD, number * RECORD);
      if (length === 0) break;
      if (length < RECORD || !isRecord(record, number)) wrong.push(number);
    }
  } finally {
    closeSync(file);
  }
  return { last: number - 1, wrong };
}

function isRecord(record: Buffer, number: number): boolean {
  return (
    record.toString('latin1', 0, 8) === 'RECORD!!' &&
    record.readBigUInt64LE(8) === BigInt(number) &&
    record.readUInt32LE(RECORD - 4) === crc32(record.subarray(0, RECORD - 4))
  );
}
