import type { MachineConfig } from '../../config/types.ts';
import { customFiles } from './custom-files.ts';

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

/** What QEMU writes to; of options in `[custom]` any path that they name and do not only read. */
export function writtenPaths({ config, realFiles = [] }: UsedPathsOf): string[] {
  const { disks, custom, dir, firmwareVariables, shares } = config;
  const images = disks.filter(({ readonly, snapshot }) => !readonly && !snapshot).map(({ file }) => file);
  const named = customFiles(custom, dir).flatMap(({ path, writes }) => (writes ? [path] : []));
  const variables = firmwareVariables === undefined ? [] : [firmwareVariables];
  const folders = shares.filter(({ readonly }) => !readonly).map(({ path }) => path);
  return [...images, ...variables, ...folders, ...realFiles, ...named].filter((path) => !isBelow(path, SYSTEM_FOLDERS));
}

/** Folders that are shared with the guest: they themselves are written to. */
export function sharedFolders({ config: { custom, dir, shares } }: UsedPathsOf): string[] {
  const folders = customFiles(custom, dir).filter(({ use }) => use === 'folder');
  return [...shares, ...folders].map(({ path }) => path);
}

function readPaths({ config, readFiles = [] }: UsedPathsOf): string[] {
  const { disks, cdroms, cloudInit, kernel, initrd, firmware, vnc, targetArch, path } = config;
  const hooks = [config.preCommand, config.postCommand, config.preStop, config.postStop].flat();
  const password = vnc.kind === 'off' ? undefined : vnc.passwordFile;
  const files = [...disks, ...cdroms].map(({ file }) => file);
  const keys = disks.map(({ key }) => key);
  const named = customFiles(config.custom, config.dir).map(({ path: each }) => each);
  const folders = config.shares.map(({ path: each }) => each);
  return [
    ...folders,
    ...files,
    ...keys,
    ...readFiles,
    cloudInit,
    kernel,
    initrd,
    firmware,
    password,
    targetArch,
    path,
    ...hooks,
    ...named,
  ].flatMap((each) => (each?.startsWith('/') ? [each] : []));
}

function isBelow(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
