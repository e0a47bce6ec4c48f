import { QemuError } from '../../base/errors.ts';
import type { SnapshotDisk } from './snapshot-disks.ts';

/** What a snapshot is to be of. */
export interface ChoiceOptions {
  readonly external: boolean;
  /** Leaves disks out that cannot hold a snapshot; else the snapshot is refused. */
  readonly skipRaw: boolean;
}

/** The disks of a snapshot. */
export interface Choice {
  readonly chosen: readonly SnapshotDisk[];
  /** Keys of raw disks that are left out. */
  readonly skipped: readonly string[];
}

/**
 * Which disks a snapshot is of: all of them, or it is refused. Pure.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` with every disk that is in the way.
 */
export function chooseDisks(name: string, disks: readonly SnapshotDisk[], options: ChoiceOptions): Choice {
  const obstacles = disks.flatMap((disk) => {
    const obstacle = obstacleOf(disk, options);
    return obstacle === undefined ? [] : [{ disk, ...obstacle }];
  });
  const skipped = obstacles.filter(({ isRaw }) => isRaw && options.skipRaw).map(({ disk }) => disk.key);
  const left = obstacles.filter(({ disk }) => !skipped.includes(disk.key));
  if (left.length > 0) {
    const what = left.map(({ disk, what: why }) => `${disk.key} ${why}`).join(', ');
    throw refusal(name, what, [...new Set(left.map(({ hint }) => hint))].join('; '));
  }
  const chosen = disks.filter(({ key }) => !skipped.includes(key));
  if (chosen.some(({ key }) => key.startsWith('DSK'))) return { chosen, skipped };
  throw refusal(name, 'it has no disk that can hold one');
}

function obstacleOf(
  disk: SnapshotDisk,
  { external }: ChoiceOptions,
): { readonly what: string; readonly hint: string; readonly isRaw?: true } | undefined {
  if (disk.temporary) return { what: 'has snapshot=on', hint: 'set snapshot=off' };
  if (disk.readonly) return { what: 'is read-only (readonly=on)', hint: 'set readonly=off' };
  if (external) {
    if (disk.encrypted) return { what: 'is encrypted', hint: 'make the snapshot without --external' };
    return disk.file.startsWith('/dev/')
      ? { what: 'is a block device', hint: 'leave it out with --skip-raw', isRaw: true }
      : undefined;
  }
  if (disk.format === 'qcow2') return undefined;
  const hint = 'convert it (qemu-init disk convert), or use --external, or leave it out with --skip-raw';
  return { what: `is ${disk.format}`, hint, isRaw: true };
}

function refusal(name: string, what: string, hint?: string): QemuError {
  return new QemuError('QEMU_COMMAND_FAILED', `Cannot make a snapshot of machine "${name}": ${what}`, { hint });
}
