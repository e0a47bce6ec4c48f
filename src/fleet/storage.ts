import { type Stats, statSync } from 'node:fs';
import type { Problem } from '../base/problem.ts';
import { shellCommand } from '../config/text/shell-words.ts';
import type { MachineConfig } from '../config/types.ts';
import { type CustomFile, customFiles } from '../machine/check/custom-files.ts';
import { issueAt } from '../machine/check/issues.ts';
import { diskChain } from '../machine/storage/disk-chain.ts';
import { isVouchedFor } from '../machine/storage/judge-lead.ts';
import { linkOwners } from '../system/files/link-owners.ts';
import { type ImageLayer, type KnownLayers, readChain } from '../system/images/image-chain.ts';
import { hasNoHeader } from '../system/images/no-header.ts';
import { type HostUse, hostUses, isClaimed, isShared, type Storage, storageOf } from '../system/images/storage.ts';
import type { Paths } from '../system/paths.ts';
import { localUser } from '../system/users.ts';

/** The parts of a machine that use storage. */
type StorageConfig = Pick<MachineConfig, 'longName' | 'disks' | 'cdroms'> &
  Partial<Pick<MachineConfig, 'custom' | 'dir' | 'firmwareVariables' | 'runAs'>>;

/** A machine that storage may be shared with. */
export interface OtherMachine {
  readonly config: StorageConfig;
  /** It does not run: only storage that must not change meanwhile counts. */
  readonly isAway?: boolean | undefined;
}

/** A file or device that a disk or a drive uses. */
interface Use extends Storage {
  /** `DSK1`, or `-drive (line 12)`. */
  readonly key: string;
  /** Of what `[custom]` names. */
  readonly origin?: CustomFile['origin'] | undefined;
  readonly file: string;
  /** The disk itself, or what its data is in; else it is what the disk rests on. */
  readonly isOwn: boolean;
  readonly isBlockDevice: boolean;
  readonly writes: boolean;
  /** Only an image header, which the guest may have written, leads there: it is neither in the cfg nor remembered. */
  readonly isHearsay?: (() => boolean) | undefined;
  /** Only a link of QEMU's own user leads there, to another user's file: a captured QEMU can name any file that way. */
  readonly isPlanted?: () => boolean;
}

/**
 * Storage of a machine that something else uses too while one of them writes: another disk of it, another machine, or
 * the host. Whole chains are looked at, by what files and devices are and not by their names: a base is read by any
 * number of overlays, and written by none.
 */
export function storageIssues(
  paths: Paths,
  config: MachineConfig,
  others: readonly OtherMachine[],
  look: StorageLook = newLook(),
): Problem[] {
  const mine = usesOf(paths, config, look);
  return [
    ...ownIssues(config, mine),
    ...issuesAmong(paths, config, others, mine, look),
    ...hostIssues(config, mine, look.host()),
  ];
}

/** The first machine that has that very file as its disk, by whatever name. A link that is not root's counts for nothing. */
export function machineWithDisk(file: string, machines: readonly OtherMachine[]): string | undefined {
  const { ino, dev } = statOf(file) ?? {};
  const isSame = (other: string): boolean => {
    const stats = statOf(other);
    return stats !== undefined && stats.ino === ino && stats.dev === dev && linkOwners(other).every((uid) => uid === 0);
  };
  return machines.find(({ config }) => config.disks.some((disk) => isSame(disk.file)))?.config.longName;
}

/** What was seen of storage, for a command that asks about many machines: every file is read once. */
export interface StorageLook {
  readonly known: KnownLayers;
  /** By long name, regardless of `isAway`. */
  readonly uses: Map<string, readonly Use[]>;
  readonly host: () => readonly HostUse[];
}

/** A look that has seen nothing yet. What it has seen is not seen to change. */
export function newLook(): StorageLook {
  let host: readonly HostUse[] | undefined;
  return {
    known: new Map(),
    uses: new Map(),
    host: () => {
      host ??= hostUses();
      return host;
    },
  };
}

/** The same among machines alone. */
export function machineIssues(paths: Paths, config: MachineConfig, others: readonly OtherMachine[]): Problem[] {
  const look = newLook();
  return issuesAmong(paths, config, others, usesOf(paths, config, look), look);
}

function issuesAmong(
  paths: Paths,
  config: MachineConfig,
  others: readonly OtherMachine[],
  mine: readonly Use[],
  look: StorageLook,
): Problem[] {
  return others.flatMap(({ config: other, isAway = false }) => {
    if (other.longName === config.longName) return [];
    const theirs = look.uses.get(other.longName) ?? usesOf(paths, other, look);
    look.uses.set(other.longName, theirs);
    const found = isAway ? conflictsWithAway(mine, theirs) : conflicts(mine, theirs);
    return found.map(([use, their]) => machineIssue(config, use, their, other.longName));
  });
}

/** Storage that must not change while a machine is stopped; nor may other images name its disks in their headers. */
function conflictsWithAway(mine: readonly Use[], theirs: readonly Use[]): (readonly [Use, Use])[] {
  const bases = theirs.filter(({ isOwn }) => !isOwn);
  const disks = theirs.filter(({ isOwn }) => isOwn);
  return [
    ...conflicts(mine, bases).filter(([use]) => use.writes),
    ...conflicts(mine, disks).filter(([{ isHearsay }]) => isHearsay?.() === true),
  ];
}

function ownIssues(config: MachineConfig, mine: readonly Use[]): Problem[] {
  return mine.flatMap((use, at) => {
    const others = mine.slice(0, at).filter(({ key }) => key !== use.key);
    const [found] = conflicts([use], others);
    // That two disks name one file is seen in the cfg alone.
    const isSeen = use.origin === undefined && found?.[1].file === use.file && use.isOwn && found[1].isOwn;
    if (found === undefined || isSeen) return [];
    const message = `${use.key} uses "${use.file}", the same storage as "${found[1].file}" of ${found[1].key}`;
    return [issueOfUse(config, use, message, 'remove one of them, or set readonly=on in both')];
  });
}

/** The first thing of the other side that each key of this one is in conflict with. */
function conflicts(mine: readonly Use[], theirs: readonly Use[]): (readonly [Use, Use])[] {
  const found = new Map<string, readonly [Use, Use]>();
  for (const use of mine) {
    const their = theirs.find((each) => (use.writes || each.writes) && isShared(use, each) && !each.isPlanted?.());
    if (their !== undefined && !found.has(use.key)) found.set(use.key, [use, their]);
  }
  return [...found.values()];
}

function machineIssue(config: MachineConfig, use: Use, their: Use, other: string): Problem {
  const { key, file } = use;
  if (use.id !== their.id) {
    const message = `${key} uses "${file}", the same storage as "${their.file}" of ${their.key} of machine "${other}"`;
    return issueOfUse(config, use, message, OWN_IMAGE);
  }
  if (use.isOwn && their.isOwn) {
    return issueOfUse(config, use, `${key} "${file}" is ${their.key} of machine "${other}" too`, OWN_IMAGE);
  }
  if (use.isOwn) {
    const message = `${key} "${file}" is the base of ${their.key} of machine "${other}", and must not be written to`;
    return issueOfUse(config, use, message, 'set readonly=on, or use a copy or an overlay of it');
  }
  const message = `${key} rests on "${file}", which ${their.key} of machine "${other}" writes to`;
  const hint = `set readonly=on in the file of "${other}", or use a copy`;
  const allow = use.isHearsay?.() === true ? `; to use it while that machine is stopped: backing=${file}` : '';
  return issueOfUse(config, use, message, `${hint}${allow}`);
}

const OWN_IMAGE = 'give each machine its own image, or set readonly=on in both';

function hostIssues(config: MachineConfig, mine: readonly Use[], host: readonly HostUse[]): Problem[] {
  const issues = new Map<string, Problem>();
  for (const use of mine) {
    if (issues.get(use.key)?.severity === 'error') continue;
    const found = host.filter((each) => isInTheWay(use, each, mine)).map((each) => hostIssue(config, use, each));
    const worst = found.find(({ severity }) => severity === 'error') ?? found[0];
    if (worst !== undefined) issues.set(use.key, worst);
    else if (use.writes && use.isBlockDevice && isClaimed(use.file)) {
      const message = `${use.key} "${use.file}" is in use on this host, by a mount, a volume or a program with exclusive access`;
      issues.set(use.key, issueOfUse(config, use, message, `see: ${shellCommand('lsblk', use.file)}`));
    }
  }
  return [...issues.values()];
}

function isInTheWay(use: Use, found: HostUse, mine: readonly Use[]): boolean {
  if (!use.writes && !found.writes) return false;
  if (!found.isLayer) return isShared(use, found);
  // A machine whose disk is a loop device or a volume is not in conflict with itself.
  return found.below.has(use.id) && !mine.some(({ id, below }) => id === found.id || below.has(found.id));
}

function hostIssue(config: MachineConfig, use: Use, found: HostUse): Problem {
  const subject = use.isOwn ? `${use.key} "${use.file}"` : `${use.key} rests on "${use.file}", which`;
  const also = use.id === found.id || found.isLayer ? '' : ' in part, or as a whole,';
  const message = `${subject}${also} ${found.what} on this host`;
  const way = found.end === undefined ? 'stop using it on the host' : shellCommand(...found.end);
  const issue = issueOfUse(config, use, message, use.writes ? `${way}; or set readonly=on` : way);
  // What the guest reads from a disk may be wrong then, but nothing is lost; an overlay is lost when its base changes.
  const isHarmful = (use.writes || !use.isOwn) && !found.isIdle();
  return isHarmful ? issue : { ...issue, severity: 'warning' };
}

function usesOf(paths: Paths, config: StorageConfig, { known }: StorageLook): Use[] {
  const disks = config.disks.flatMap((disk) => {
    const isAlone = disk.format === 'raw' || (disk.format === undefined && hasNoHeader(disk.file));
    const layers = isAlone ? [plainFile(disk.file)] : diskChain(paths, config.longName, disk, { known }).layers;
    const isWritten = !disk.readonly && !disk.snapshot;
    return layers.flatMap((layer) => {
      const uses = useOf(`DSK${disk.index}`, layer, isWritten && layer.depth === 0);
      if (layer.role === 'image') return uses;
      const isHearsay = (): boolean => !isVouchedFor(paths, config.longName, disk, layer.file);
      return uses.map((use) => ({ ...use, isHearsay }));
    });
  });
  const discs = config.cdroms.flatMap(({ index, file }) => {
    if (file === undefined) return [];
    return useOf(`CDR${index}`, plainFile(file), false);
  });
  const variables = config.firmwareVariables;
  const firmware = variables === undefined ? [] : useOf('FIRMWARE', plainFile(variables), true);
  const uses = [...disks, ...discs, ...firmware, ...customUses(config)];
  const { runAs } = config;
  return runAs === undefined ? uses : uses.map((use) => ({ ...use, isPlanted: () => isPlanted(use.file, runAs) }));
}

function isPlanted(file: string, runAs: string): boolean {
  const uid = localUser(runAs)?.uid;
  if (uid === undefined || uid === statOf(file)?.uid) return false;
  try {
    return linkOwners(file).includes(uid);
  } catch {
    // It went away, or is in a folder that is closed to the caller.
    return false;
  }
}

/** With share-rw=on the guests coordinate their writes themselves, as cluster file systems do. */
function customUses({ custom = [], dir = '/' }: StorageConfig): Use[] {
  const isShared = custom.some(({ args }) => args.some((word) => /share-rw["=:]+(?:on|true)/.test(word)));
  const files = customFiles(custom, dir).filter(({ use }) => use === 'storage');
  return files.flatMap(({ option, path, format, writes, origin }) => {
    const { layers } = readChain(path, format === undefined ? {} : { format });
    const key = `${option} (line ${origin.line})`;
    return layers.flatMap((layer) =>
      useOf(key, layer, writes && !isShared && layer.depth === 0).map((use) => ({ ...use, origin })),
    );
  });
}

/** Options in `[custom]` are on separate lines, without a key. */
function issueOfUse(config: MachineConfig, { key, origin }: Use, message: string, hint: string): Problem {
  return origin === undefined ? issueAt(config, key, message, hint) : { ...origin, message, severity: 'error', hint };
}

type UsedFile = Pick<ImageLayer, 'role' | 'file' | 'isRemote' | 'stats' | 'depth'>;

/** What leads to nothing else, whatever is in it, is not opened. */
function plainFile(file: string): UsedFile {
  return { role: 'image', file, isRemote: false, stats: statOf(file), depth: 0 };
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}

function useOf(key: string, layer: UsedFile, writes: boolean): Use[] {
  const { file, isRemote, stats, depth } = layer;
  if (isRemote) return [];
  // What cannot be looked at is what it is called.
  const storage = stats === undefined ? { id: file, below: new Set<string>() } : storageOf(stats);
  return [{ ...storage, key, file, isOwn: depth === 0, isBlockDevice: stats?.isBlockDevice() === true, writes }];
}
