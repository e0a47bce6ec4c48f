import { asArray, asRecord, asText, optionalText } from '../../../base/guards.ts';
import { Domain } from '../../../domain/domain.ts';
import { chosenDisk } from '../../disks/chosen-disk.ts';
import { diskNode } from '../../disks/disk-nodes.ts';
import { isSameFile } from '../../disks/same-file.ts';
import { loadMachineConfig } from '../../load-config.ts';
import { diskChain } from '../../storage/disk-chain.ts';
import { removeParts } from '../../work/part-files.ts';
import type { Leftover, WorkKind } from '../../work/work-kind.ts';
import { layersFrom, type SnapshotLayer } from '../snapshot-notes.ts';
import { noteMerge } from './note-merge.ts';

/**
 * A layer that was being merged: when the disk rests on it no longer, it goes. Else it is as whole as before, and so is
 * the snapshot.
 */
export const MERGE_KIND: WorkKind = {
  settle: async (leftover) => {
    const { target, record, client, cancel } = leftover;
    const [layer] = layersFrom([record.data['layer']]);
    if (layer === undefined) return { outcome: 'undone' };
    const domain = client && new Domain(client, target.longName);
    for (const job of domain ? await domain.jobs() : []) {
      if (!record.jobs.includes(job.id)) continue;
      if (job.isOver) await job.dismiss();
      else if (cancel) await job.cancel();
      else return { outcome: 'running' };
    }
    if ((await filesOf(leftover, layer, domain)).some((file) => isSameFile(file, layer.overlay))) {
      return { outcome: 'undone', detail: 'the snapshot is still there' };
    }
    removeParts(
      asArray(record.data['parts']).map((each) => {
        const { path, id } = asRecord(each);
        return { path: asText(path), id: optionalText(id) };
      }),
    );
    noteMerge(leftover.host, target, layer);
    return { outcome: 'finished' };
  },
};

async function filesOf(
  { host, target }: Leftover,
  { key }: SnapshotLayer,
  domain: Domain | undefined,
): Promise<string[]> {
  if (domain) return (await diskNode(domain, key)).layers.map(({ file }) => file);
  const config = loadMachineConfig(target.configPath, host.paths.defaultsFile);
  return diskChain(host.paths, target.longName, chosenDisk(config, key)).layers.map(({ file }) => file);
}
