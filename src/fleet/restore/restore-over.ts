import { randomUUID } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../../machine/context.ts';
import { DROPS_IT, demandStopped, type FileTask, replaceFiles } from '../../machine/restore/replace-files.ts';
import type { FileOwner } from '../../machine/restore/restore-disk.ts';
import { resolveRunAs } from '../../machine/start/run-as.ts';
import { refuseSaved } from '../../machine/state/saved-folder.ts';
import { forgetBases } from '../../machine/storage/image-memory.ts';
import { readTextIfExists } from '../../system/files/files.ts';
import { placeWithoutLinks } from '../../system/files/held-folder.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import { checkMachine } from '../check/check-machine.ts';
import type { Machines } from '../machines.ts';
import { readBackupCfg } from './backup-cfg.ts';
import { forgetLost, snapshotsToLose } from './lost-snapshots.ts';
import { machineFiles } from './machine-files.ts';
import { notesOn } from './notes.ts';
import { placeToReplace } from './places.ts';
import {
  diskRows,
  diskTask,
  formatOf,
  ownedBy,
  type Restored,
  type RestoreOptions,
  type RestoreSource,
} from './restored.ts';
import { restoredCfg } from './restored-cfg.ts';

/**
 * Restores over a machine that does not run: all of it, with its cfg file, or one disk alone.
 *
 * @throws {QemuError} as `restoreBackup`.
 */
export async function restoreOver(
  machines: Machines,
  target: MachineRef,
  source: RestoreSource,
  options: RestoreOptions,
): Promise<Restored> {
  const { host } = machines;
  const { point } = source;
  demandStopped(target);
  const dropsSaved = options.fresh === true;
  if (!dropsSaved) refuseSaved(target.files, target.longName, 'restore', DROPS_IT);
  const isWhole = options.disk === undefined;
  const backup = isWhole ? readBackupCfg(point, target.configPath, host.paths) : undefined;
  const config = backup?.config ?? machines.config(target);
  const owner = ownedBy(await resolveRunAs(config));
  const places = placesIn(host, config, source);
  const tasks = source.disks.flatMap((each) => {
    const path = places.get(each.disk.key);
    return path === undefined ? [] : [diskTask(each, path, ownerOf(path) ?? owner)];
  });
  if (!isWhole && tasks.length === 0) throw noDisk(target, options.disk ?? '');
  const others = isWhole
    ? machineFiles(point, config, target, { owner, variables: config.firmwareVariables })
    : { tasks: [], notes: [] };
  const cfg = backup ? cfgFile(target, backup.text, config, { source, places }) : undefined;
  if (!isWhole) demandPlain(config, source);
  const what = `restoring ${point.name}@${point.point}`;
  const files = [...others.tasks, ...(cfg?.tasks ?? [])];
  const losing = snapshotsToLose(
    target,
    tasks.map(({ path }) => path),
  );
  await replaceFiles(host, target, { what, disks: tasks, files, dropsSaved }, options);
  forgetBases(host.paths, target.longName);
  const lost = forgetLost(target, losing);
  return {
    name: target.longName,
    shortName: target.shortName,
    point: point.point,
    outcome: 'replaced',
    configPath: target.configPath,
    disks: diskRows(tasks),
    notes: [...lost, ...others.notes, ...(cfg?.notes ?? []), ...(isWhole ? notesOn(source, config, new Map()) : [])],
    issues: await checkMachine(machines, target),
  };
}

/** The places of the images, by key: where the machine has them. */
function placesIn(host: MachineContext, config: MachineConfig, { disks }: RestoreSource): ReadonlyMap<string, string> {
  const found = disks.flatMap(({ disk: { key } }) => {
    const own = diskOf(config, key);
    return own ? [[key, placeToReplace(key, own.file)] as const] : [];
  });
  const otherWith = host.otherWithDisk(config);
  for (const [key, path] of found) {
    const other = otherWith(path);
    if (other === undefined) continue;
    throw new QemuError('QEMU_CONFIG_INVALID', `${key} "${path}" is also a disk of machine "${other}"`, {
      hint: 'restore a copy: --as NAME',
    });
  }
  return new Map(found);
}

function diskOf({ disks }: MachineConfig, key: string): DiskConfig | undefined {
  return disks.find(({ index }) => key === `DSK${index}`);
}

/** The cfg file of the backup, when it differs; the present one is kept next to it. */
function cfgFile(
  { configPath }: MachineRef,
  text: string,
  config: MachineConfig,
  { source, places }: { readonly source: RestoreSource; readonly places: ReadonlyMap<string, string> },
): { readonly tasks: readonly FileTask[]; readonly notes: readonly string[] } {
  const written = restoredCfg(text, config, {
    configPath,
    disks: source.disks.flatMap(({ disk: saved }) => {
      const disk = diskOf(config, saved.key);
      return disk && places.has(saved.key) ? [{ disk, path: disk.file, format: formatOf(saved) }] : [];
    }),
    firmwareVariables: undefined,
    as: undefined,
    newUuid: randomUUID,
  });
  const present = readTextIfExists(configPath);
  if (present === written) return { tasks: [], notes: [] };
  const path = placeWithoutLinks(configPath);
  const tasks = [{ path, content: Buffer.from(written), owner: ownerOf(path) ?? PUBLIC }];
  if (present === undefined || present === text) return { tasks, notes: [] };
  const kept = `${configPath}.before-restore`;
  writeFileAtomic(kept, present, 0o600, { durable: true });
  return { tasks, notes: [`The cfg file is that of the backup; the one before is kept as "${kept}"`] };
}

const PUBLIC: FileOwner = { uid: 0, gid: 0, mode: 0o644 };

/** Who has the file now, and how. */
function ownerOf(path: string): FileOwner | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? { uid: stats.uid, gid: stats.gid, mode: stats.mode } : undefined;
}

/** The cfg file stays as it is when one disk alone is restored, so the image has to be what that says. */
function demandPlain(config: MachineConfig, { disks }: RestoreSource): void {
  for (const { disk: saved } of disks) {
    const own = diskOf(config, saved.key);
    const format = formatOf(saved);
    if (own?.key !== undefined) {
      throw new QemuError('QEMU_CONFIG_INVALID', `${saved.key} is encrypted, and its backup is not`, {
        hint: `get the image with --output DIR, and encrypt it with qemu-img`,
      });
    }
    if (own?.format === undefined || own.format === format) continue;
    throw new QemuError('QEMU_CONFIG_INVALID', `${saved.key} has format=${own.format}, but was ${format}`, {
      hint: `get the image with --output DIR, and convert it with qemu-img`,
    });
  }
}

function noDisk({ longName }: MachineRef, key: string): QemuError {
  return new QemuError('QEMU_DEVICE_UNKNOWN', `Machine "${longName}" has no ${key} now`, {
    hint: 'for the image alone, give --output DIR',
  });
}
