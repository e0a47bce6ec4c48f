import { QemuError } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import type { RegistryEntry } from '../config/registry.ts';
import { parseRegistry } from '../config/registry.ts';
import { readTextIfExists } from '../system/files/files.ts';
import type { Paths } from '../system/paths.ts';
import { runningAs } from './resolve.ts';

/**
 * Mistakes in a new text of the registry because of running machines: the long name of one would become the short
 * name of another, by which commands then mean that one. What is so in the registry already is left to be corrected.
 */
export function takenNames(paths: Paths, text: string): Problem[] {
  const path = paths.registryFile;
  const before = parseRegistry(readTextIfExists(path) ?? '', path).entries;
  const added = parseRegistry(text, path).entries.filter((entry) => !before.some((old) => isSame(old, entry)));
  return added.flatMap(({ shortName, longName }): Problem[] => {
    const problem = takenName(paths, shortName, longName);
    if (!problem) return [];
    return [{ file: path, key: shortName, message: problem.message, severity: 'error', hint: problem.hint }];
  });
}

/** The error of a short name that is the long name of another machine, which runs. */
export function takenName(paths: Paths, shortName: string, longName: string): QemuError | undefined {
  if (shortName === longName || runningAs(paths, shortName) === undefined) return undefined;
  const message = `"${shortName}" cannot be the short name of "${longName}": it is the name of a running machine`;
  return new QemuError('QEMU_CONFIG_INVALID', message, {
    hint: `stop that machine first, or choose another short name`,
  });
}

function isSame(a: RegistryEntry, b: RegistryEntry): boolean {
  return a.shortName === b.shortName && a.longName === b.longName && a.dir === b.dir;
}
