import { QemuError } from '../../../../base/errors.ts';
import type { BackupOptions, BackupResult } from '../../../../machine/backup/create-backup.ts';
import type { Machine } from '../../../../machine/library/machine.ts';
import { showProgress } from '../../../output/progress.ts';
import { sizeText } from '../../../output/sizes.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly dest?: string;
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
  const { id, full, quiesce, waitForSpace } = args;
  const selection = select(context, { ids: [id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    showProgress(output, target.longName, async (onProgress) => {
      const machine = fleet.machine(target);
      const { dest, ...settings } = settingsFor(machine, args);
      return machine.backups.create(dest, { ...settings, full, quiesce, waitForSpace, signal, onProgress });
    }),
  );
  return present<BackupResult>(context, selection, outcomes, { text: describe, json: document });
}

/** What the command line says, else BACKUP= in the machine's file. */
function settingsFor(
  { name, config: { backup } }: Machine,
  { dest, keep, rate, compress }: Arguments,
): Pick<BackupOptions, 'keep' | 'rate' | 'compress'> & { readonly dest: string } {
  // What the file says is for the folder that it names.
  if (dest !== undefined) return { dest, keep, rate, compress };
  if (backup === undefined) {
    throw new QemuError('QEMU_USAGE', `No folder was given, and machine "${name}" has no BACKUP= in its file`, {
      hint: `qemu-init backup create ${name} DEST`,
    });
  }
  return {
    dest: backup.dest,
    keep: keep ?? backup.keep,
    rate: rate ?? backup.rateBytes,
    compress: compress ?? backup.compress,
  };
}

function describe(name: string, { path, manifest, removed, isLive, seconds }: BackupResult): string {
  const { kind, reason, quiesced, disks } = manifest;
  const size = sizeText(disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const why = reason === undefined ? '' : ` (${reason})`;
  const frozen = quiesced || !isLive ? '' : '; the file systems were not frozen';
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
