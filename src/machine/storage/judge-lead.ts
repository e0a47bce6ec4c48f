import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import { followLocally } from '../../system/files/mounts.ts';
import { withImage } from '../../system/images/image.ts';
import { type ChainProblem, type JudgeLead, type Lead, printable } from '../../system/images/image-chain.ts';
import { detectFormat } from '../../system/images/image-format.ts';
import type { Paths } from '../../system/paths.ts';
import { knownLeads, ownerOfDisk } from './image-memory.ts';

type Refusal = Pick<ChainProblem, 'what' | 'hint'>;

/**
 * Which files the headers of a disk's images may lead to. A guest, or a QEMU that it has captured, can write any name
 * into them. In this order: what the cfg names by `backing=`; what the disk rested on when it was last started; nothing
 * that is the disk of another machine; what lies in the folder of the image that names it. Everything else only for a
 * disk that has not been started yet, whose format is declared, and only to read what is made like a disk.
 */
export function leadJudge(paths: Paths, longName: string, disk: DiskConfig): JudgeLead {
  let known: ReturnType<typeof knownLeads> | undefined;
  return (lead) => {
    const real = realPath(lead.path);
    // What is missing, or cannot be looked at, is reported for the chain.
    if (isOfProcess(lead.path)) return refusal(lead, ', which is a different file for each process');
    if (real === undefined || isNamed(disk, lead.path, real) || disk.backing.includes(lead.name)) return undefined;
    known ??= knownLeads(paths, longName, disk.file);
    if (known.files.has(real)) return undefined;
    const owner = ownerOfDisk(paths, longName, real);
    if (owner !== undefined) return refusal(lead, `, a disk of machine "${owner}"`);
    if (isBeside(lead.from, real)) return undefined;
    if (known.isStarted) return refusal(lead, ', which it did not when the machine was last started');
    if (lead.role !== 'backing') return refusal(lead, ', which is in another folder and would be written to');
    if (disk.format === undefined) return refusal(lead, ', which is in another folder, and no format= is declared');
    return isLikeDisk(real) ? undefined : refusal(lead, ', which is in another folder and does not look like a disk');
  };
}

/** Whether a disk may rest on a file whoever else has it: the cfg names it, or it rested on it at its last start. */
export function isVouchedFor(paths: Paths, longName: string, disk: DiskConfig, file: string): boolean {
  const real = realPath(file) ?? file;
  return isNamed(disk, file, real) || knownLeads(paths, longName, disk.file).files.has(real);
}

function isNamed({ backing }: DiskConfig, path: string, real: string): boolean {
  return backing.some((each) => each === path || (each.startsWith('/') && realPath(each) === real));
}

/** QEMU has other descriptors and another working folder than this process: proc(5), and `/dev/fd` is a link there. */
function isOfProcess(path: string): boolean {
  return path.startsWith('/') && !followLocally(path, PROCESSES).isLocal;
}

const PROCESSES = [{ point: '/proc', type: 'autofs' }];

/** Whether it is in the folder of the image: neither through a link out of it nor through "..". */
function isBeside(image: string, real: string): boolean {
  const folder = dirname(real);
  const realImage = realPath(image);
  return realPath(dirname(image)) === folder || (realImage !== undefined && dirname(realImage) === folder);
}

const SIGNATURE_AT = 510;
const SIGNATURE = 0xaa55;

/**
 * Whether a file has the header of an image or, as disks of PCs and all with a GPT, the signature of a partition table.
 */
function isLikeDisk(path: string): boolean {
  try {
    return withImage(path, (file, stats) => {
      if (!stats.isFile()) return false;
      const hasTable = file.sizeBytes % 512 === 0 && file.read(SIGNATURE_AT, 2).readUInt16LE(0) === SIGNATURE;
      return hasTable || detectFormat(file).format !== 'raw';
    });
  } catch (error) {
    if (error instanceof QemuError) return false;
    throw error;
  }
}

function refusal({ role, from, path }: Lead, why: string): Refusal {
  const nearer = role === 'backing' ? `; or let the image rest on another one: ${rebase(from)}` : '';
  return {
    what: `leads QEMU to "${printable(path)}"${why}: its guest may have written that itself`,
    hint: `if that is meant, allow it in the machine's file: backing=${printable(path).replaceAll(',', ',,')}${nearer}`,
  };
}

function rebase(from: string): string {
  return `${shellCommand('qemu-img', 'rebase', '-u', '-F')} FORMAT -b FILE ${shellCommand(from)}`;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
