import { type Mount, mountOf, parseMounts, readMounts } from './mounts.ts';

/**
 * Whether the use of a path would have something mounted first. A generator must not: systemd waits for it, and so
 * cannot mount (systemd.generator(7)). Without such a file there are no automounts.
 */
export function isBehindAutomount(path: string, mounts: readonly Mount[] = readMounts()): boolean {
  return mountOf(mounts, path)?.type === 'autofs';
}

/** The same, of the text of a mountinfo file: proc(5). Pure. */
export function isBehindIn(mountInfo: string, path: string): boolean {
  return isBehindAutomount(path, parseMounts(mountInfo));
}
