import { renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { isNotFound } from '../../base/errors.ts';
import { removeRegistryEntry } from '../../config/registry.ts';
import type { MachineRef } from '../../machine/context.ts';
import { forgetEnd } from '../../machine/run/last-run.ts';
import { forgetImages } from '../../machine/storage/image-memory.ts';
import { fileError } from '../../system/files/file-error.ts';
import { isThere } from '../../system/files/files.ts';
import type { Paths } from '../../system/paths.ts';
import { editRegistry } from '../edit-registry.ts';
import { freeMacs } from '../macs.ts';

/** Ends the registration of a machine that has moved away, or has not arrived. Safe to repeat. */
export async function forgetMachine(paths: Paths, target: MachineRef, cfg: 'keep' | 'aside'): Promise<void> {
  const { longName, configPath } = target;
  await editRegistry(paths, (text) => removeRegistryEntry(text, longName));
  await freeMacs(paths, longName);
  forgetEnd(paths, longName);
  forgetImages(paths, longName);
  if (cfg === 'aside') putAside(configPath);
}

/** Under a name that no start finds: the machine could come back. */
function putAside(path: string): void {
  try {
    renameSync(path, `${path}.moved`);
  } catch (error) {
    if (!isNotFound(error)) throw fileError('rename', path, error);
  }
}

/** How a place is named, for people and as a destination: `root:/srv/two`. */
export function placeName({ etcDir }: Pick<Paths, 'etcDir'>): string {
  return `root:${etcDir.replace(/\/?etc\/qemu$/, '') || '/'}`;
}

/** Why nothing can be moved to a place: a root folder that is misspelt is not to be made. Undefined: it can. */
export function missingRoot({ scope, etcDir }: Pick<Paths, 'scope' | 'etcDir'>): string | undefined {
  const root = dirname(dirname(etcDir));
  return scope !== 'root' || isThere(root) ? undefined : `there is no folder "${root}"`;
}
