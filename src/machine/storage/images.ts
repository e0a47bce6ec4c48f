import type { Problem } from '../../base/problem.ts';
import type { CdromConfig, DiskConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { type ImageChain, readChain } from '../../system/images/image-chain.ts';
import type { Paths } from '../../system/paths.ts';
import type { ImageNode } from '../argv/description.ts';
import { secretOf } from '../argv/disks.ts';
import { issueAt } from '../check/issues.ts';
import { chainIssue, checkGuesses, checkKey, checkWritable, isEncrypted } from './chain-issues.ts';
import { changeIssue, checkRaw, formatOf } from './disk-format.ts';
import { findDisc } from './find-disc.ts';
import { type ImageMemory, readImageMemory } from './image-memory.ts';
import { leadJudge } from './judge-lead.ts';
import { rememberImages } from './remember-images.ts';

/** A `DSKx` as it is on this host. */
export interface FoundDisk {
  readonly disk: DiskConfig;
  readonly chain: ImageChain;
  /** How QEMU opens it. */
  readonly image: ImageNode;
}

/** The images of a machine as they are on this host. */
export interface FoundImages {
  readonly disks: readonly FoundDisk[];
  /** Drives, without the optional discs that are missing. */
  readonly cdroms: readonly CdromConfig[];
  readonly issues: readonly Problem[];
  /** What is to be remembered when the machine starts. */
  readonly memory: ImageMemory;
}

/** Looks at all images that a machine names. Nothing is changed, and nothing but files and block devices is opened. */
export function findImages(paths: Paths, config: MachineConfig): FoundImages {
  const issues: Problem[] = [];
  const before = readImageMemory(paths, config.longName);
  const disks = config.disks.map((disk) => findDisk(paths, config, disk, issues));
  const cdroms = config.cdroms.map((cdrom) => findDisc(config, cdrom, issues));
  return { disks, cdroms, issues, memory: rememberImages(config, disks, before, issues) };
}

function findDisk(paths: Paths, config: MachineConfig, disk: DiskConfig, issues: Problem[]): FoundDisk {
  const format =
    disk.format ??
    formatOf(paths, config.longName, disk, (known, found) => issues.push(changeIssue(config, disk, known, found)));
  const judge = leadJudge(paths, config.longName, disk);
  const chain = readChain(disk.file, { format, allowed: disk.backing, judge });
  const key = `DSK${disk.index}`;
  const report = (message: string, hint?: string): void => {
    issues.push(issueAt(config, key, message, hint));
  };
  issues.push(...chain.problems.flatMap((problem) => chainIssue(config, key, disk, problem) ?? []));
  checkRaw(config, disk, chain, issues);
  if (chain.problems.length === 0) {
    checkGuesses(chain, key, report);
    checkWritable(disk, chain, key, report);
    checkKey(config, disk, chain, issues);
  }
  return { disk, chain, image: imageOf(disk, chain) };
}

function imageOf(disk: DiskConfig, { layers }: ImageChain): ImageNode {
  const images = layers.filter(({ role }) => role === 'image' || role === 'backing');
  const node = images.reduceRight<ImageNode | undefined>(
    (backing, layer) => ({
      file: layer.file,
      format: layer.format,
      isDevice: layer.stats?.isBlockDevice() ?? false,
      isGuessed: layer.role === 'backing' && layer.isGuessed,
      secret: isEncrypted(layer) ? secretOf(disk) : undefined,
      backing,
    }),
    undefined,
  );
  return node ?? { file: disk.file, format: 'raw' };
}
