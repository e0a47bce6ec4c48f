import { closeSync, constants, openSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../../base/errors.ts';
import { deviceNumber } from './image.ts';

/** A file or a block device, with everything that its data really lies in. */
export interface Storage {
  /** The same for all names of one file or device: `f2049:131` or `b8:1`. */
  readonly id: string;
  /**
   * Ids of what it is a part of or is made from: the disk of a partition, the devices beneath a volume, the file of a
   * loop device.
   */
  readonly below: ReadonlySet<string>;
}

/** Something of the host that uses storage. */
export interface HostUse extends Storage {
  /** As a clause: `is mounted on "/mnt"`. */
  readonly what: string;
  /** What ends it, as a command, where there is one. */
  readonly end: readonly string[] | undefined;
  readonly writes: boolean;
  /** Uses only what is below it, and is there to be used itself: a loop device, a volume. */
  readonly isLayer: boolean;
  /** Whether it is only there, and nothing has it open for itself. */
  readonly isIdle: () => boolean;
}

/** The storage that a path leads to. */
export function storageOf(stats: Pick<Stats, 'dev' | 'ino' | 'rdev'> & { isBlockDevice(): boolean }): Storage {
  if (!stats.isBlockDevice()) return { id: `f${stats.dev}:${stats.ino}`, below: new Set() };
  return deviceStorage(deviceNumber(stats.rdev));
}

/** Whether writing to one changes the other: they are the same, or one is a part of the other. */
export function isShared(a: Storage, b: Storage): boolean {
  return a.id === b.id || a.below.has(b.id) || b.below.has(a.id);
}

/** Everything of this host that uses block devices, and files by loop devices or as swap. */
export function hostUses(): HostUse[] {
  return [...mounts(), ...swaps(), ...layers()];
}

/**
 * Whether a program or the kernel has a block device for itself, which even a mount in another container does: open(2),
 * O_EXCL. False also when that cannot be tried.
 */
export function isClaimed(path: string): boolean {
  for (let tries = 0; tries < CLAIM_TRIES; tries += 1) {
    try {
      closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL | constants.O_NONBLOCK));
      return false;
    } catch (error) {
      if (errorCode(error) !== 'EBUSY') return false;
    }
    // Another command may be trying the same at this moment.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, CLAIM_PAUSE_MS);
  }
  return true;
}

const CLAIM_TRIES = 3;
const CLAIM_PAUSE_MS = 20;

/** @param number `major:minor` */
function deviceStorage(number: string): Storage {
  const below = new Set<string>();
  collectBelow(number, below);
  return { id: `b${number}`, below };
}

function collectBelow(number: string, found: Set<string>): void {
  const folder = realFolder(`/sys/dev/block/${number}`);
  if (folder === undefined) return;
  const add = (next: string | undefined): void => {
    if (next === undefined || found.has(`b${next}`)) return;
    found.add(`b${next}`);
    collectBelow(next, found);
  };
  if (readLine(join(folder, 'partition')) !== undefined) add(readLine(join(dirname(folder), 'dev')));
  for (const slave of namesOf(join(folder, 'slaves'))) add(readLine(join(folder, 'slaves', slave, 'dev')));
  const file = readLine(join(folder, 'loop/backing_file'));
  const stats = file === undefined ? undefined : statOf(file);
  if (stats === undefined) return;
  if (stats.isBlockDevice()) add(deviceNumber(stats.rdev));
  else found.add(storageOf(stats).id);
}

const NEVER = (): boolean => false;

/** proc_pid_mountinfo(5): of this process, and of the first one, which may see more. */
function mounts(): HostUse[] {
  const lines = ['/proc/self/mountinfo', '/proc/1/mountinfo'].flatMap((path) => readText(path)?.split('\n') ?? []);
  return [...new Set(lines)].flatMap((line): HostUse[] => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , number = '', , place = ''] = before.split(' ');
    const [, source = '', options = ''] = after.split(' ');
    const storage = mountedStorage(number, fromOctal(source));
    if (storage === undefined) return [];
    const path = fromOctal(place);
    const writes = !options.split(',').includes('ro');
    return [
      { ...storage, what: `is mounted on "${path}"`, end: ['umount', path], writes, isLayer: false, isIdle: NEVER },
    ];
  });
}

/** Btrfs and others show a device that does not exist; their source is one of those that do. */
function mountedStorage(number: string, source: string): Storage | undefined {
  if (number !== '' && !number.startsWith('0:')) return deviceStorage(number);
  const stats = source.startsWith('/') ? statOf(source) : undefined;
  return stats?.isBlockDevice() ? storageOf(stats) : undefined;
}

/** proc_swaps(5). */
function swaps(): HostUse[] {
  const lines = readText('/proc/swaps')?.split('\n').slice(1) ?? [];
  return lines.flatMap((line): HostUse[] => {
    const path = fromOctal(line.split(/\s/)[0] ?? '');
    const stats = path === '' ? undefined : statOf(path);
    if (stats === undefined) return [];
    return [
      {
        ...storageOf(stats),
        what: 'is swap space',
        end: ['swapoff', path],
        writes: true,
        isLayer: false,
        isIdle: NEVER,
      },
    ];
  });
}

/** Loop devices, and volumes that are made from other devices (LVM, dm-crypt, MD). */
function layers(): HostUse[] {
  return namesOf('/sys/block').flatMap((name): HostUse[] => {
    const folder = `/sys/block/${name}`;
    const isLoop = readLine(join(folder, 'loop/backing_file')) !== undefined;
    const number = readLine(join(folder, 'dev'));
    if (number === undefined || (!isLoop && namesOf(join(folder, 'slaves')).length === 0)) return [];
    const volume = readLine(join(folder, 'dm/name'));
    const device = volume === undefined ? `/dev/${name.replaceAll('!', '/')}` : `/dev/mapper/${volume}`;
    // A volume that is only mapped, as multipath and LVM do by themselves with whatever a guest has on its disk.
    const isIdle = (): boolean =>
      volume !== undefined && namesOf(join(folder, 'holders')).length === 0 && !isClaimed(`/dev/${name}`);
    return [
      {
        ...deviceStorage(number),
        what: isLoop ? `is the backing file of loop device "${device}"` : `is a part of device "${device}"`,
        end: isLoop ? ['losetup', '--detach', device] : undefined,
        writes: readLine(join(folder, 'ro')) !== '1',
        isLayer: true,
        isIdle,
      },
    ];
  });
}

/** Blanks and the like are written as octal numbers there. */
function fromOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function realFolder(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function namesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readLine(path: string): string | undefined {
  return readText(path)?.replace(/\n$/, '');
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
