import { closeSync, openSync, readSync } from 'node:fs';
import { shellCommand } from '../../config/shell-words.ts';
import type { DiskConfig, MachineConfig } from '../../config/types.ts';
import { QemuError } from '../../errors.ts';
import { findProgram, run } from '../../system/exec.ts';
import { readImageInfo } from '../../system/image.ts';
import type { Finding } from './finding.ts';

/** An image that takes longer is not judged: reading the tables of a large one on a slow disk takes minutes. */
const CHECK_MS = 10_000;

/** What is wrong with the images of a machine that does not run; what a QEMU has open is always marked as in use. */
export async function judgeImages(config: MachineConfig, signal: AbortSignal): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const disk of config.disks) {
    const marked = judgeMarks(config.longName, disk.file);
    const found = marked.length > 0 ? marked : await checkImage(config.longName, disk, signal);
    findings.push(...found);
  }
  return findings;
}

/** Marks in the header of a qcow2 image: docs/interop/qcow2.txt of QEMU, "incompatible_features". */
function judgeMarks(machine: string, file: string): Finding[] {
  const header = headerOf(file);
  const isQcow2 = header.length >= 80 && header.readUInt32BE(0) === 0x51_46_49_fb && header.readUInt32BE(4) >= 3;
  const marks = isQcow2 ? header.readUInt32BE(76) : 0;
  if ((marks & 2) !== 0) return [damaged(machine, file, 'is marked as corrupt: QEMU opens it for reading only')];
  if ((marks & 1) !== 0) {
    const detail = `"${file}" was not closed; QEMU repairs it at the next start, which may take a while`;
    return [
      { severity: 'warning', machine, title: 'Image was in use', detail, fix: shellCommand('qemu-img', 'check', file) },
    ];
  }
  return [];
}

/** What qemu-img(1) says of an image: statuses of its `check`. Without that program, nothing. */
async function checkImage(machine: string, disk: DiskConfig, signal: AbortSignal): Promise<Finding[]> {
  const { file } = disk;
  const format = disk.format ?? formatOf(file);
  if (format === undefined || findProgram('qemu-img') === undefined) return [];
  try {
    const call = ['check', '--output=json', '-f', format, '--', file];
    const { exitCode, stderr } = await run('qemu-img', call, { timeoutMs: CHECK_MS, signal });
    if (exitCode === 2) return [damaged(machine, file, 'has errors: data in it is lost, or will be')];
    if (exitCode === 3) {
      const detail = `"${file}" takes more space than its data needs; nothing is lost`;
      return [
        {
          severity: 'warning',
          machine,
          title: 'Image leaks space',
          detail,
          fix: shellCommand('qemu-img', 'check', '-r', 'leaks', file),
        },
      ];
    }
    if (exitCode === 1 && /Failed to get .* lock/.test(stderr)) return [inUse(machine, file, disk.readonly)];
    return [];
  } catch (error) {
    if (signal.aborted || !(error instanceof QemuError)) throw error;
    return [];
  }
}

function damaged(machine: string, file: string, what: string): Finding {
  const fix = `${shellCommand('qemu-img', 'check', '-r', 'all', file)}, after a copy`;
  return { severity: 'error', machine, title: 'Damaged image', detail: `"${file}" ${what}`, fix };
}

function inUse(machine: string, file: string, isReadonly: boolean): Finding {
  return {
    severity: isReadonly ? 'warning' : 'error',
    machine,
    title: 'Image is in use',
    detail: `another program writes to "${file}", though the machine does not run: its start will fail`,
    fix: `see which it is: ${shellCommand('fuser', '-v', file)}`,
  };
}

function formatOf(file: string): string | undefined {
  try {
    return readImageInfo(file).format;
  } catch {
    // checkMachine() says that it cannot be read.
    return undefined;
  }
}

function headerOf(file: string): Buffer {
  const header = Buffer.alloc(80);
  try {
    const fd = openSync(file, 'r');
    try {
      return header.subarray(0, readSync(fd, header, 0, header.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return Buffer.alloc(0);
  }
}
