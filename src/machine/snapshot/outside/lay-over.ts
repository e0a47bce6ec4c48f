import { existsSync, lstatSync } from 'node:fs';
import { abortError } from '../../../base/abort.ts';
import { ConfigError } from '../../../base/config-error.ts';
import { setKey } from '../../../config/text/edit-text.ts';
import type { MachineConfig } from '../../../config/types.ts';
import type { MachineContext, MachineRef } from '../../context.ts';
import { chosenDisk } from '../../disks/chosen-disk.ts';
import { lineOfDisk } from '../../disks/disk-line.ts';
import { refuseJson, whileEditing } from '../../edit-config.ts';
import type { Work } from '../../work/do-work.ts';
import type { PartFile } from '../../work/work-record.ts';
import type { SnapshotDisk } from '../snapshot-disks.ts';
import { readSnapshotNotes, type SnapshotLayer } from '../snapshot-notes.ts';
import { planLayers } from './layers.ts';
import { makeOverlay } from './overlay-file.ts';

/** Work that lets disks go on in new overlays; what its kind has to know: see `layer-work.ts`. */
export const LAYER_WORK = 'snapshot-layers';

/** A layer to go on from. */
export type Base = Pick<SnapshotDisk, 'key' | 'file' | 'format' | 'sizeBytes'>;

/** Where overlays are put. */
export interface LayOver {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
  readonly work: Work;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes an empty overlay over each of the bases, lets the machine's file name them, and then does the rest. The file names
 * the layer on top at every instant: an empty overlay shows exactly what is below it, so a start from it is right
 * whether `whenNamed` was done or not.
 *
 * @param around is done with the lock of the file held, such as a freeze, and calls what it is given.
 * @param whenNamed lets QEMU go on in the overlays.
 */
export async function layOver<T>(
  { host, target, config, work, name, signal }: LayOver,
  bases: readonly Base[],
  around: (body: () => Promise<void>) => Promise<T>,
  whenNamed: (layers: readonly SnapshotLayer[]) => Promise<void>,
): Promise<{ readonly layers: readonly SnapshotLayer[]; readonly value: T }> {
  refuseJson(target);
  const layers = planLayers(bases, name, readSnapshotNotes(target.files), isTaken);
  const edits = layers.map(({ key, overlay }) => {
    return { key, ...lineOfDisk(target, { key, file: overlay, format: 'qcow2' }, chosenDisk(config, key)) };
  });
  work.note({ cfgEdits: edits, data: { ...work.record.data, layers } });
  const parts: PartFile[] = [];
  for (const [at, { base, format, overlay }] of layers.entries()) {
    if (signal?.aborted) throw abortError(signal);
    const plan = { path: overlay, base, baseFormat: format, sizeBytes: bases[at]?.sizeBytes ?? 0 };
    await makeOverlay(plan, target.files.stateDir, (file) => {
      parts.push(file);
      work.note({ partFiles: parts });
    });
  }
  const value = await whileEditing(host, target, { purpose: 'snapshot', signal }, ({ write }) =>
    around(async () => {
      write((text) => edits.reduce((changed, { key, to }) => setKey(changed, key, to), text));
      await whenNamed(layers);
    }),
  );
  return { layers, value };
}

function isTaken(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined || existsSync(path);
}

/** Nothing else may write to what is about to be a base. @throws {ConfigError} */
export function refuseShared(host: MachineContext, config: MachineConfig): void {
  const problems = host.storageInUse(config);
  if (!problems.some(({ severity }) => severity === 'error')) return;
  throw new ConfigError(`Cannot put overlays above the disks of machine "${config.longName}"`, problems);
}
