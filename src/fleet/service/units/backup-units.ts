import type { BackupConfig } from '../../../config/types.ts';
import { unitPath, unitText } from './unit-text.ts';

/** The part of a planned machine that matters here. */
interface BackedUp {
  readonly target: { readonly longName: string; readonly shortName: string | undefined };
  readonly config: { readonly backup: BackupConfig | undefined };
}

/**
 * What starts the nightly backups: a target that wants the timer of each registered machine with BACKUP=, and what the services
 * need of the destinations. Pure.
 */
export function backupUnits(machines: readonly BackedUp[]): { readonly path: string; readonly text: string }[] {
  const found = machines.flatMap(({ target, config }) =>
    config.backup === undefined || target.shortName === undefined ? [] : [{ name: target.longName, ...config.backup }],
  );
  if (found.length === 0) return [];
  const timers = unitText('Made by qemu-generator: machines with BACKUP=', {
    Unit: found.map(({ name }) => ['Wants', `qemu-backup@${name}.timer`] as const),
  });
  const start = unitText('Made by qemu-generator: machines with BACKUP=', { Unit: [['Wants', 'qemu-backup.target']] });
  return [
    { path: 'timers.target.d/50-qemu-backup.conf', text: start },
    { path: 'qemu-backup.target.d/50-machines.conf', text: timers },
    ...found.map(({ name, dest }) => ({
      path: `qemu-backup@${name}.service.d/50-machine.conf`,
      text: unitText(`Made by qemu-generator for BACKUP= of ${name}`, {
        Unit: [['RequiresMountsFor', unitPath(dest)]],
      }),
    })),
  ];
}
