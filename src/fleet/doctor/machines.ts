import { closeSync, openSync, readSync } from 'node:fs';
import type { Target } from '../../machine/host.ts';
import { locate } from '../../machine/locate.ts';
import { checkMachine } from '../check.ts';
import type { Fleet } from '../fleet.ts';
import type { Finding } from './finding.ts';

/** What is wrong with one machine: its file, its images, who can reach it, what it left behind. */
export async function judgeMachine(fleet: Fleet, target: Target): Promise<Finding[]> {
  const machine = target.longName;
  const { config } = fleet.inspect(target);
  const located = locate(target.files);
  const issues = await checkMachine(fleet, target);
  return [
    ...issues.map(
      (issue): Finding => ({
        severity: issue.severity,
        machine,
        title: issue.message,
        detail: `${issue.file}${issue.line === undefined ? '' : `, line ${issue.line}`}`,
        fix: issue.hint ?? `qemu-init edit ${machine}`,
      }),
    ),
    ...(located.kind === 'dead' ? [leftBehind(machine)] : []),
    // What QEMU has open is always marked as in use.
    ...(config && located.kind !== 'alive' ? config.disks.flatMap(({ file }) => judgeImage(machine, file)) : []),
  ];
}

function leftBehind(machine: string): Finding {
  return {
    severity: 'warning',
    machine,
    title: 'QEMU was killed',
    detail: 'its pid file, and what else it left, is still there',
    fix: `qemu-init stop ${machine}, or start it again`,
  };
}

/** Marks in the header of a qcow2 image: docs/interop/qcow2.txt of QEMU, "incompatible_features". */
function judgeImage(machine: string, file: string): Finding[] {
  const header = headerOf(file);
  const isQcow2 = header.length >= 80 && header.readUInt32BE(0) === 0x51_46_49_fb && header.readUInt32BE(4) >= 3;
  const marks = isQcow2 ? header.readUInt32BE(76) : 0;
  if ((marks & 2) !== 0) {
    const detail = `"${file}" is marked as corrupt: QEMU opens it for reading only`;
    return [
      {
        severity: 'error',
        machine,
        title: 'Damaged image',
        detail,
        fix: `qemu-img check -r all ${file}, after a copy`,
      },
    ];
  }
  if ((marks & 1) !== 0) {
    const detail = `"${file}" was not closed; QEMU repairs it at the next start, which may take a while`;
    return [{ severity: 'warning', machine, title: 'Image was in use', detail, fix: `qemu-img check ${file}` }];
  }
  return [];
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
    // checkMachine() says that it cannot be read.
    return Buffer.alloc(0);
  }
}
