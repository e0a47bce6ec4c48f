import type { MachineRef } from '../context.ts';
import type { Instant } from './begin-copies.ts';
import type { PointPlan } from './decide.ts';
import type { BackupFile, BackupManifest } from './manifest.ts';

/** What is found out when a file is whole. */
const NOT_YET = { sizeBytes: 0, sha256: '0'.repeat(64) } as const;

/** The manifest of a point whose copies have begun, still without sizes and checksums. Pure. */
export function draftOf(
  { longName, shortName }: Pick<MachineRef, 'longName' | 'shortName'>,
  { kind, reason, parent, chain, disks }: PointPlan,
  { at, quiesced, qemuVersion }: Instant,
  compressed: boolean,
  files: readonly Pick<BackupFile, 'name' | 'role'>[],
): BackupManifest {
  return {
    version: 1,
    name: longName,
    shortName: shortName ?? longName,
    createdAt: at,
    kind,
    ...(reason !== undefined && { reason }),
    ...(parent !== undefined && { parent }),
    chain,
    quiesced,
    qemuVersion,
    compressed,
    disks: disks.map(({ source, file, backing }) => ({
      key: source.key,
      file,
      format: 'qcow2',
      virtualSizeBytes: source.sizeBytes,
      ...NOT_YET,
      sourcePath: source.path,
      sourceFormat: source.format,
      ...(backing !== undefined && { backing }),
    })),
    files: files.map((file) => ({ ...file, ...NOT_YET })),
  };
}
