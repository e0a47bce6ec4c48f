import { resolve } from 'node:path';
import type { BackupPoint } from '../../../../machine/backup/destination.ts';
import { describeError, errorDocument } from '../../../output/report.ts';
import { sizeText } from '../../../output/sizes.ts';
import type { Context } from '../../../run/context.ts';

/** Lists all points in a folder. What is damaged, or is not a backup, is told and does not make it fail. */
export async function run(context: Context, args: { readonly dest: string }): Promise<number> {
  const { output } = context;
  const { points, foreign } = await context.fleet().backups(args.dest).list();
  if (output.json) {
    output.document([...points.map(document), ...foreign.map((path) => ({ name: null, path, error: notOurs(path) }))]);
    return 0;
  }
  const good = points.flatMap(({ manifest, ...each }) => (manifest ? [{ ...each, manifest }] : []));
  if (good.length > 0) {
    output.table(
      [
        ['NAME', 'POINT', 'KIND', 'PARENT', 'SIZE', 'QUIESCED', 'DISKS'],
        ...good.map(({ name, point, manifest }) => [
          name,
          point,
          manifest.kind,
          manifest.parent ?? '-',
          sizeText(sizeOf(manifest)),
          manifest.quiesced ? 'yes' : 'no',
          manifest.disks.map(({ key, virtualSizeBytes }) => `${key}=${sizeText(virtualSizeBytes)}`).join(' '),
        ]),
      ],
      { optional: ['DISKS', 'QUIESCED', 'PARENT'] },
    );
  }
  for (const { name, point, error } of points) {
    if (error) output.note('warning', `${name}@${point}: ${describeError(error, output.debug)}`);
  }
  for (const path of foreign) output.note('warning', `"${path}" is not a backup`);
  if (points.length === 0) output.note('info', `no backup in "${resolve(args.dest)}"`);
  return 0;
}

function document({ name, point, folder, manifest, error }: BackupPoint): object {
  if (manifest === undefined) return { name, point, path: folder, error: errorDocument(error) };
  const { shortName, createdAt, kind, reason, parent, chain, quiesced, qemuVersion, compressed, disks } = manifest;
  return {
    name,
    shortName,
    point,
    path: folder,
    createdAt,
    kind,
    reason,
    parent,
    chain,
    sizeBytes: sizeOf(manifest),
    quiesced,
    qemuVersion,
    compressed,
    disks: disks.map(({ key, file, virtualSizeBytes, sizeBytes, sourcePath, sourceFormat }) => {
      return { key, file, virtualSizeBytes, sizeBytes, sourcePath, sourceFormat };
    }),
  };
}

function sizeOf({ disks, files }: NonNullable<BackupPoint['manifest']>): number {
  return [...disks, ...files].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function notOurs(path: string): object {
  return { code: 'QEMU_IO', message: `"${path}" is not a backup`, hint: null };
}
