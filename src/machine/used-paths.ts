import { join } from 'node:path';
import type { MachineConfig } from '../config/types.ts';

/** A machine, and where the links among its images lead. */
export interface UsedPathsOf {
  readonly config: MachineConfig;
  /** Real paths of its images and of what they rest on, where they are known. */
  readonly realFiles?: readonly string[] | undefined;
  /** Real paths of what they rest on and only read. */
  readonly readFiles?: readonly string[] | undefined;
}

/** Folders that are closed to machines unless one of them has files there. */
export interface Closed {
  /** Home folders. */
  readonly homes: boolean;
  /** The temporary files of others. */
  readonly temporary: boolean;
}

/** Folders that ProtectHome= closes: systemd.exec(5). */
export const HOMES = ['/home', '/root', '/run/user'];
/** Folders that PrivateTmp= replaces. */
const TEMPORARY = ['/tmp', '/var/tmp'];
/** What nothing of a machine's is written to, though options may name files in it. */
const SYSTEM_FOLDERS = ['/usr', '/boot', '/efi', '/bin', '/sbin', '/lib', '/lib64', '/proc', '/sys', '/dev'];

/**
 * What can be closed to all of these machines.
 *
 * @param more paths that they use in addition.
 */
export function closedTo(machines: readonly UsedPathsOf[], more: readonly string[] = []): Closed {
  const used = machines.flatMap((machine) => [...writtenPaths(machine), ...readPaths(machine)]);
  const isFree = (folders: readonly string[]): boolean => ![...used, ...more].some((path) => isBelow(path, folders));
  return { homes: isFree(HOMES), temporary: isFree(TEMPORARY) };
}

/** What QEMU writes to; of options in `[custom]` any path that they name. */
export function writtenPaths({ config: { disks, custom, dir }, realFiles = [] }: UsedPathsOf): string[] {
  const images = disks.filter(({ readonly, snapshot }) => !readonly && !snapshot).map(({ file }) => file);
  const named = custom.flatMap(({ args }) => args.flatMap((word) => pathsIn(word, dir)));
  return [...images, ...realFiles, ...named].filter((path) => !isBelow(path, SYSTEM_FOLDERS));
}

function readPaths({ config, readFiles = [] }: UsedPathsOf): string[] {
  const { disks, cdroms, kernel, initrd, firmware, vnc, targetArch, path } = config;
  const hooks = [config.preCommand, config.postCommand, config.preStop, config.postStop].flat();
  const password = vnc.kind === 'off' ? undefined : vnc.passwordFile;
  const files = [...disks, ...cdroms].map(({ file }) => file);
  const keys = disks.map(({ key }) => key);
  return [...files, ...keys, ...readFiles, kernel, initrd, firmware, password, targetArch, path, ...hooks].flatMap(
    (each) => (each?.startsWith('/') ? [each] : []),
  );
}

/** Paths in a word such as `file=/a,format=raw` or `unix:/run/a.sock`; what is relative is so to where QEMU runs. */
function pathsIn(word: string, dir: string): string[] {
  const absolute = [...word.matchAll(/(?:^|[=:])(\/[^,]*)/g)].flatMap(([, path]) => path ?? []);
  const relative = [...word.matchAll(/(?:^|,)(?:path|file|filename|logfile)=([^/,][^,]*)/g)];
  return [...absolute, ...relative.map(([, path = '']) => join(dir, path))];
}

function isBelow(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
