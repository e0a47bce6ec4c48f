import type { BackupResult } from '../../../../machine/backup/create-backup.ts';
import { showProgress } from '../../../output/progress.ts';
import { sizeText } from '../../../output/sizes.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly dest: string;
  readonly full?: boolean;
  readonly rate?: number;
  readonly compress?: boolean;
  readonly quiesce?: 'auto' | 'on' | 'off';
  readonly keep?: number;
  readonly waitForSpace?: boolean;
}

/** Backs up a machine. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const { output, signal } = context;
  const { id, dest, full, rate, compress, quiesce, keep, waitForSpace } = args;
  const selection = select(context, { ids: [id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    showProgress(output, target.longName, (onProgress) =>
      fleet
        .machine(target)
        .backups.create(dest, { full, rate, compress, quiesce, keep, waitForSpace, signal, onProgress }),
    ),
  );
  return present<BackupResult>(context, selection, outcomes, { text: describe, json: document });
}

function describe(name: string, { path, manifest, removed, seconds }: BackupResult): string {
  const { kind, reason, quiesced, disks } = manifest;
  const size = sizeText(disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const why = reason === undefined ? '' : ` (${reason})`;
  const frozen = quiesced ? '' : '; the file systems were not frozen';
  const merged = removed.length === 0 ? '' : `; removed: ${removed.map(({ point }) => point).join(', ')}`;
  return `${name}: ${kind} backup${why} in "${path}": ${size} in ${seconds} s${frozen}${merged}`;
}

function document({ point, path, manifest, removed, seconds }: BackupResult): object {
  const { kind, reason, parent, chain, createdAt, quiesced, compressed, disks } = manifest;
  return {
    point,
    path,
    kind,
    reason,
    parent,
    chain,
    createdAt,
    quiesced,
    compressed,
    sizeBytes: disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    disks: disks.map(({ key, file, sizeBytes, virtualSizeBytes, backing }) => ({
      key,
      file,
      sizeBytes,
      virtualSizeBytes,
      whole: backing === undefined,
    })),
    removed: removed.map(({ point: each, mergedInto }) => ({ point: each, mergedInto })),
    seconds,
  };
}
