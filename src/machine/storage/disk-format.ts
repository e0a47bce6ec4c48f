import { QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readImageInfo, withImage } from '../../system/images/image.ts';
import type { ImageChain } from '../../system/images/image-chain.ts';
import { detectFormat } from '../../system/images/image-format.ts';
import type { Paths } from '../../system/paths.ts';
import { issueAt } from '../check/issues.ts';
import { knownFormat } from './image-memory.ts';

/** Formats whose header no raw disk or disc has by chance. */
export const UNLIKE_RAW: ReadonlySet<string> = new Set('qcow2 qcow qed vmdk vdi vhdx cloop dmg'.split(' '));

/** Reports a disk whose format differs from that of its last use. */
type ReportChange = (known: string, found: string) => void;

/**
 * The format of a disk that declares none: what it was when it was first used. A guest can write any header to a raw
 * disk.
 */
export function formatOf(paths: Paths, longName: string, disk: DiskConfig, report: ReportChange): string | undefined {
  try {
    const seen = withImage(disk.file, (file, stats) => {
      return { stats, format: stats.isBlockDevice() ? 'raw' : detectFormat(file).format };
    });
    // Without a key this is what the guest encrypted, which is raw to QEMU.
    const found = seen.format === 'luks' && disk.key === undefined ? 'raw' : seen.format;
    const known = knownFormat(paths, longName, { file: disk.file, stats: seen.stats, found }) ?? found;
    if (known !== found) report(known, found);
    return known;
  } catch (error) {
    if (error instanceof QemuError) return undefined;
    throw error;
  }
}

export function changeIssue(config: MachineConfig, disk: DiskConfig, known: string, found: string): Problem {
  const key = `DSK${disk.index}`;
  const message = `${key} "${disk.file}" was ${known} when it was last used, but now looks like ${found}, which its guest may have written itself`;
  const hint =
    `if you did not replace the image, declare what it was: format=${known}; ` +
    `if you did, declare what it is: format=${found}`;
  return issueAt(config, key, message, hint);
}

/** Whatever a guest writes to its raw disk, the machine starts; but it may be a mistake of whoever wrote the cfg. */
export function checkRaw(config: MachineConfig, disk: DiskConfig, { problems }: ImageChain, issues: Problem[]): void {
  if (disk.format !== 'raw' || problems.length > 0) return;
  const { format } = readImageInfo(disk.file);
  if (!UNLIKE_RAW.has(format)) return;
  const key = `DSK${disk.index}`;
  const message = `${key} is declared format=raw, but "${disk.file}" is ${format}`;
  issues.push({ ...issueAt(config, key, message, formatHint(format)), severity: 'warning' });
}

/** A guest that may write to a raw disk can give it the header of another format: then the hint would be the attack. */
export function formatHint(found: string): string {
  return `if only you wrote to the image, declare format=${found}; otherwise examine it first: qemu-img info`;
}
