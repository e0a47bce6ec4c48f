import { QemuError } from '../../../base/errors.ts';
import type { Problem } from '../../../base/problem.ts';
import { shellCommand } from '../../../config/text/shell-words.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { imageUserPrefix } from '../../../machine/disks/image-user.ts';
import { type FoundDisk, findImages } from '../../../machine/storage/images.ts';
import { runQemuImg } from '../../../system/images/qemu-img.ts';
import type { Paths } from '../../../system/paths.ts';
import { findProgram } from '../../../system/process/exec.ts';

/** An image that takes longer is not checked: reading the tables of a large one on a slow disk takes minutes. */
const CHECK_MS = 10_000;

/** What is wrong with the images of a machine that does not run; what a QEMU has open is always marked as in use. */
export async function checkHostImages(paths: Paths, config: MachineConfig, signal: AbortSignal): Promise<Problem[]> {
  const findings: Problem[] = [];
  for (const found of findImages(paths, config).disks) {
    // The check of the machine reports these problems; qemu-img must not open such files.
    if (found.chain.problems.length > 0) continue;
    const marked = checkMarks(config.longName, found);
    findings.push(...(marked.length > 0 ? marked : await checkImage(config, found, signal)));
  }
  return findings;
}

/** Marks in the header of a qcow2 image: docs/interop/qcow2.txt of QEMU, "incompatible_features". */
function checkMarks(machine: string, { disk: { file }, chain, image }: FoundDisk): Problem[] {
  const header = chain.layers[0]?.head ?? Buffer.alloc(0);
  const isQcow2 =
    image.format === 'qcow2' &&
    header.length >= 80 &&
    header.readUInt32BE(0) === 0x51_46_49_fb &&
    header.readUInt32BE(4) >= 3;
  const marks = isQcow2 ? header.readUInt32BE(76) : 0;
  if ((marks & 2) !== 0) return [damaged(machine, file, 'is marked as corrupt: QEMU opens it read-only')];
  if ((marks & 1) !== 0) {
    const detail = `"${file}" was not closed properly; QEMU repairs it at the next start, which may take a while`;
    return [
      {
        severity: 'warning',
        machine,
        message: 'Image was in use',
        detail,
        hint: shellCommand('qemu-img', 'check', file),
      },
    ];
  }
  return [];
}

/** Runs `qemu-img check` and interprets its exit status, see qemu-img(1). No findings without that program. */
async function checkImage(config: MachineConfig, found: FoundDisk, signal: AbortSignal): Promise<Problem[]> {
  const { disk, image, chain } = found;
  const { file } = disk;
  const machine = config.longName;
  const isEncrypted = disk.key !== undefined;
  if (image.format === 'raw' || isEncrypted || findProgram('qemu-img') === undefined) return [];
  try {
    const prefix = await imageUserPrefix(config, chain.layers[0]?.stats?.uid);
    const call = ['check', '--output=json', '-f', image.format, '--', file];
    const { exitCode, stderr } = await runQemuImg(call, { prefix, timeoutMs: CHECK_MS, signal });
    if (exitCode === 2) return [damaged(machine, file, 'has errors: data is lost, or will be')];
    if (exitCode === 3) {
      const detail = `"${file}" uses more space than its data needs; no data is lost`;
      return [
        {
          severity: 'warning',
          machine,
          message: 'Image leaks space',
          detail,
          hint: shellCommand('qemu-img', 'check', '-r', 'leaks', file),
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

function damaged(machine: string, file: string, what: string): Problem {
  const hint = `${shellCommand('qemu-img', 'check', '-r', 'all', file)}, after making a copy`;
  return { severity: 'error', machine, message: 'Damaged image', detail: `"${file}" ${what}`, hint };
}

function inUse(machine: string, file: string, isReadonly: boolean): Problem {
  return {
    severity: isReadonly ? 'warning' : 'error',
    machine,
    message: 'Image is in use',
    detail: `another program writes to "${file}" while the machine is stopped: its start will fail`,
    hint: `find that program: ${shellCommand('fuser', '-v', file)}`,
  };
}
