import { isNotFound, QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { CdromConfig, DiskConfig, MachineConfig } from '../../config/types.ts';
import { readImageInfo, withImage } from '../../system/images/image.ts';
import {
  type ChainProblem,
  type ImageChain,
  type ImageLayer,
  type KnownLayers,
  readChain,
} from '../../system/images/image-chain.ts';
import { detectFormat } from '../../system/images/image-format.ts';
import type { Paths } from '../../system/paths.ts';
import type { ImageNode } from '../argv/description.ts';
import { secretOf } from '../argv/disks.ts';
import { fileIssue, issueAt } from '../check/issues.ts';
import { keyProblem } from './image-keys.ts';
import {
  type ImageMemory,
  isSameBase,
  type KnownBase,
  knownBase,
  knownDisk,
  knownFormat,
  readImageMemory,
} from './image-memory.ts';
import { leadJudge } from './judge-lead.ts';

/** Formats whose header no raw disk or disc has by chance. */
const UNLIKE_RAW: ReadonlySet<string> = new Set('qcow2 qcow qed vmdk vdi vhdx cloop dmg'.split(' '));

/** A `DSKx` as it is on this host. */
export interface FoundDisk {
  readonly disk: DiskConfig;
  readonly chain: ImageChain;
  /** How QEMU opens it. */
  readonly image: ImageNode;
}

/** How {@link diskChain} looks. */
export interface LookOptions {
  /** Whether a file that a header leads to may be looked at. */
  readonly mayOpen?: ((path: string) => boolean) | undefined;
  readonly known?: KnownLayers | undefined;
}

/** A disk and everything that it rests on, in the format that a start would use. */
export function diskChain(
  paths: Paths,
  longName: string,
  disk: DiskConfig,
  { mayOpen = () => true, known }: LookOptions = {},
): ImageChain {
  const format = disk.format ?? formatOf(paths, longName, disk, () => {});
  const judge = leadJudge(paths, longName, disk);
  return readChain(disk.file, {
    format,
    allowed: disk.backing,
    known,
    judge: (lead) => (mayOpen(lead.path) ? judge(lead) : { what: `rests on "${lead.path}", which is not examined` }),
  });
}

function followDisk(paths: Paths, longName: string, disk: DiskConfig, format: string | undefined): ImageChain {
  return readChain(disk.file, { format, allowed: disk.backing, judge: leadJudge(paths, longName, disk) });
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
  return { disks, cdroms, issues, memory: remember(config, disks, before, issues) };
}

function findDisk(paths: Paths, config: MachineConfig, disk: DiskConfig, issues: Problem[]): FoundDisk {
  const format =
    disk.format ??
    formatOf(paths, config.longName, disk, (known, found) => issues.push(changeIssue(config, disk, known, found)));
  const chain = followDisk(paths, config.longName, disk, format);
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

/** Whatever a guest writes to its raw disk, the machine starts; but it may be a mistake of whoever wrote the cfg. */
function checkRaw(config: MachineConfig, disk: DiskConfig, { problems }: ImageChain, issues: Problem[]): void {
  if (disk.format !== 'raw' || problems.length > 0) return;
  const { format } = readImageInfo(disk.file);
  if (!UNLIKE_RAW.has(format)) return;
  const key = `DSK${disk.index}`;
  const message = `${key} is declared format=raw, but "${disk.file}" is ${format}`;
  issues.push({ ...issueAt(config, key, message, formatHint(format)), severity: 'warning' });
}

/** Reports a disk whose format differs from that of its last use. */
type ReportChange = (known: string, found: string) => void;

/**
 * The format of a disk that declares none: what it was when it was first used. A guest can write any header to a raw
 * disk.
 */
function formatOf(paths: Paths, longName: string, disk: DiskConfig, report: ReportChange): string | undefined {
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

function changeIssue(config: MachineConfig, disk: DiskConfig, known: string, found: string): Problem {
  const key = `DSK${disk.index}`;
  const message = `${key} "${disk.file}" was ${known} when it was last used, but now looks like ${found}, which its guest may have written itself`;
  const hint =
    `if you did not replace the image, declare what it was: format=${known}; ` +
    `if you did, declare what it is: format=${found}`;
  return issueAt(config, key, message, hint);
}

function chainIssue(config: MachineConfig, key: string, disk: DiskConfig, problem: ChainProblem): Problem | undefined {
  const { file, what, hint, error, found } = problem;
  if (file === disk.file) {
    if (error !== undefined) return fileIssue(config, key, file, error);
    // Its change of format is already reported.
    if (found !== undefined && disk.format === undefined) return undefined;
    if (found !== undefined) {
      const message = `${key} is declared format=${disk.format}, but "${file}" is ${found}`;
      return issueAt(config, key, message, formatHint(found));
    }
  }
  if (error === undefined) return issueAt(config, key, `${key}: "${file}" ${what}`, hint);
  if (isNotFound(error.cause)) return issueAt(config, key, `${key} rests on "${file}", which does not exist`);
  return { ...fileIssue(config, key, file, error), message: `${key} rests on "${file}", which cannot be read` };
}

/** A guest that may write to a raw disk can give it the header of another format: then the hint would be the attack. */
function formatHint(found: string): string {
  return `if only you wrote to the image, declare format=${found}; otherwise examine it first: qemu-img info`;
}

/**
 * A base whose format no header names is opened as what it looks like, which is right for one that leads nowhere. One
 * that leads on to other files may be a raw disk whose guest wrote that.
 */
function checkGuesses({ layers }: ImageChain, key: string, report: (message: string, hint?: string) => void): void {
  for (const layer of layers) {
    if (layer.role !== 'backing' || !layer.isGuessed) continue;
    const above = layers.find(
      ({ depth, role }) => depth === layer.depth - 1 && (role === 'image' || role === 'backing'),
    );
    const leadsOn = layers.some(
      ({ depth, role }) => depth > layer.depth || (depth === layer.depth && role !== 'backing'),
    );
    if (!layer.isRemote && !leadsOn) continue;
    const format = layer.isRemote ? 'FORMAT' : layer.format;
    report(
      `${key}: "${above?.file}" does not record the format of its backing file "${layer.file}"`,
      `if only you wrote to it, record the format: ` +
        shellCommand('qemu-img', 'rebase', '-u', '-F', format, '-b', layer.file, above?.file ?? ''),
    );
  }
}

function checkWritable(
  disk: DiskConfig,
  { layers }: ImageChain,
  key: string,
  report: (message: string, hint?: string) => void,
): void {
  if (disk.readonly || disk.snapshot) return;
  const layer = layers.find(({ depth, detail }) => depth === 0 && detail.writeObstacle !== undefined);
  if (layer === undefined) return;
  if (layer.detail.isDamaged) {
    const repair = shellCommand('qemu-img', 'check', '-r', 'all', layer.file);
    report(
      `${key}: "${layer.file}" ${layer.detail.writeObstacle}: QEMU only reads it`,
      `copy it first, then: ${repair}`,
    );
    return;
  }
  const format = layers[0]?.format ?? 'raw';
  const converted = `${disk.file.replace(/\.[^./]*$/, '')}.qcow2`;
  report(
    `${key}: "${layer.file}" ${layer.detail.writeObstacle}: what the guest writes would be lost`,
    `${shellCommand('qemu-img', 'convert', '-f', format, '-O', 'qcow2', disk.file, converted)}, and name that file; ` +
      'or set readonly=on or snapshot=on',
  );
}

function checkKey(config: MachineConfig, disk: DiskConfig, { layers }: ImageChain, issues: Problem[]): void {
  const key = `DSK${disk.index}`;
  const report = (message: string, hint?: string): void => {
    issues.push(issueAt(config, key, message, hint));
  };
  const aes = layers.find(({ detail }) => detail.encryption === 'aes');
  if (aes !== undefined) {
    report(
      `${key}: "${aes.file}" is encrypted with AES-CBC, which QEMU no longer supports for machines`,
      `${shellCommand('qemu-img', 'convert', '-O', 'qcow2', aes.file, `${aes.file}.new`)}, with --object secret and -o encrypt.format=luks`,
    );
    return;
  }
  const encrypted = layers.find(isEncrypted);
  if (disk.key === undefined) {
    if (encrypted !== undefined)
      report(`${key}: "${encrypted.file}" is encrypted`, 'name the file with its key: key=FILE');
    return;
  }
  if (encrypted === undefined) {
    report(`${key} has key=, but "${disk.file}" is not encrypted`, 'remove key=');
    return;
  }
  try {
    const problem = keyProblem(disk.key);
    const hint = problem === 'can be used by others' ? shellCommand('chmod', '600', disk.key) : undefined;
    if (problem !== undefined) report(`${key} key "${disk.key}" ${problem}`, hint);
  } catch (error) {
    const issue = fileIssue(config, key, disk.key, error);
    issues.push({ ...issue, message: issue.message.replace(key, `${key} key`) });
  }
}

function isEncrypted({ format, detail }: ImageLayer): boolean {
  return format === 'luks' || detail.encryption === 'luks';
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

/** CD-ROMs are always raw: what an ISO file begins with is not for QEMU to act on. */
function findDisc(config: MachineConfig, cdrom: CdromConfig, issues: Problem[]): CdromConfig {
  const { file, index, optional } = cdrom;
  const key = `CDR${index}`;
  if (file === undefined) return cdrom;
  try {
    const { format } = readImageInfo(file);
    if (!UNLIKE_RAW.has(format)) return cdrom;
    const message = `${key} "${file}" is a ${format} image, but CD-ROMs are always raw: the guest sees the image file as it is`;
    const hint = `convert it to raw: ${shellCommand('qemu-img', 'convert', '-f', format, '-O', 'raw', file, `${file}.iso`)}`;
    issues.push({ ...issueAt(config, key, message, hint), severity: 'warning' });
    return cdrom;
  } catch (error) {
    const issue = fileIssue(config, key, file, error);
    const isMissing = error instanceof QemuError && isNotFound(error.cause);
    if (!optional || !isMissing) {
      issues.push(issue);
      return cdrom;
    }
    issues.push({ ...issue, severity: 'warning', message: `${issue.message}: the drive is empty` });
    return { ...cdrom, file: undefined };
  }
}

/** Adds new bases, and reports those that changed. */
function remember(
  config: MachineConfig,
  disks: readonly FoundDisk[],
  before: ImageMemory,
  issues: Problem[],
): ImageMemory {
  const bases = new Map<string, KnownBase>();
  for (const { disk, chain } of disks) {
    for (const layer of chain.layers) {
      const now = layer.depth > 0 ? knownBase(layer) : undefined;
      if (now === undefined) continue;
      const known = before.bases.find(({ file }) => file === now.file);
      bases.set(now.file, known ?? now);
      if (known === undefined || isSameBase(known, now)) continue;
      const message = `DSK${disk.index} rests on "${now.file}", which has changed since it was first used (${changes(known, now)}): the overlay may no longer match it`;
      const hint = `if that was meant: ${shellCommand('qemu-init', 'register', config.longName)}`;
      issues.push({ ...issueAt(config, `DSK${disk.index}`, message, hint), severity: 'warning' });
    }
  }
  const current = disks.flatMap(({ chain }) => knownDisk(chain.layers));
  // A disk that is taken out may come back.
  const others = before.disks.filter((old) => !current.some((disk) => disk.file === old.file));
  return { disks: [...current, ...others].slice(0, MOST_REMEMBERED), bases: [...bases.values()] };
}

const MOST_REMEMBERED = 500;

function changes(known: KnownBase, now: KnownBase): string {
  const size = known.sizeBytes === now.sizeBytes ? '' : `, ${known.sizeBytes} then and ${now.sizeBytes} bytes now`;
  return `written at ${new Date(now.mtimeMs).toISOString()}${size}`;
}
