import type { MachineContext, MachineRef } from '../../context.ts';
import { forgetBase } from '../../storage/image-memory.ts';
import { forgetLayer, type SnapshotLayer } from '../snapshot-notes.ts';

/** Notes that an overlay was written into its base, which has changed on purpose. */
export function noteMerge(host: MachineContext, target: MachineRef, layer: SnapshotLayer): void {
  forgetBase(host.paths, target.longName, layer.base);
  forgetLayer(target.files, layer);
}
