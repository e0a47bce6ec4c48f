import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** As many as Linux follows: path_resolution(7). */
const MOST_LINKS = 40;

/**
 * Numbers of the users whose symbolic links are followed on the way to a file, each as often as one is; none of a path
 * that leads nowhere.
 */
export function linkOwners(path: string): number[] {
  const owners: number[] = [];
  const ahead = partsOf(resolve(path)).toReversed();
  let current = '/';
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    const next = name === '..' ? dirname(current) : join(current, name);
    const stats = lstatSync(next, { throwIfNoEntry: false });
    if (stats === undefined || owners.length > MOST_LINKS) return [];
    if (!stats.isSymbolicLink()) {
      current = next;
      continue;
    }
    owners.push(stats.uid);
    const target = readlinkSync(next);
    if (target.startsWith('/')) current = '/';
    ahead.push(...partsOf(target).toReversed());
  }
  return owners;
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
