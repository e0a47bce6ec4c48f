import { randomUUID } from 'node:crypto';
import { rmdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import { addRegistryEntry } from '../../config/registry.ts';
import { isValidName, NAME_RULE } from '../../config/text/names.ts';
import type { MachineContext, MachineRef } from '../../machine/context.ts';
import { type RestoreTasks, replaceFiles } from '../../machine/restore/replace-files.ts';
import type { FileOwner } from '../../machine/restore/restore-disk.ts';
import { locate } from '../../machine/run/locate.ts';
import { ensureOwnUser } from '../../machine/start/own-user.ts';
import { resolveRunAs } from '../../machine/start/run-as.ts';
import { settle } from '../../machine/work/settle.ts';
import { ensureDir, isThere, readTextIfExists } from '../../system/files/files.ts';
import { placeWithoutLinks } from '../../system/files/held-folder.ts';
import { machinePaths, type Paths } from '../../system/paths.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import type { Machines } from '../machines.ts';
import { registerMachine } from '../register.ts';
import { readBackupCfg } from './backup-cfg.ts';
import { machineFiles } from './machine-files.ts';
import { notesOn } from './notes.ts';
import { demandFree, newPlace, newPlaces } from './places.ts';
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

/** Restores to a machine that is not there yet, and registers it. @throws {QemuError} as `restoreBackup`. */
export async function restoreNew(
  machines: Machines,
  source: RestoreSource,
  options: RestoreOptions,
): Promise<Restored> {
  const { as, output } = options;
  const { point } = source;
  const { host } = machines;
  const longName = as ?? point.name;
  if (!isValidName(longName)) {
    throw new QemuError('QEMU_USAGE', `"${longName}" is not a valid name for a machine`, { hint: NAME_RULE });
  }
  const dir = output === undefined ? host.paths.etcDir : resolve(output);
  trustPath(dir);
  ensureDir(dir, 0o755);
  const files = machinePaths(host.paths, longName);
  const target: MachineRef = { longName, shortName: undefined, configPath: join(dir, `${longName}-qemu.cfg`), files };
  const shortName = freeShortName(host.paths, longName, as ?? point.manifest.shortName);
  const plan = await planNew(host.paths, source, target, options);
  const { tasks, notes } = plan;
  if (!(await isFinished(host, target, tasks.what))) {
    demandUnused(target);
    for (const { path } of [...tasks.disks, ...tasks.files]) if (path !== plan.store) demandFree(path);
    try {
      await replaceFiles(host, target, tasks, options);
    } catch (error) {
      removeIfEmpty(files.stateDir);
      throw error;
    }
  }
  const { target: registered, issues } = await registerMachine(machines, shortName, target.configPath, dir);
  return {
    name: longName,
    shortName: registered.shortName,
    point: point.point,
    outcome: 'created',
    configPath: target.configPath,
    disks: diskRows(tasks.disks),
    notes,
    issues,
  };
}

interface NewPlan {
  readonly tasks: RestoreTasks;
  readonly notes: readonly string[];
  /** The only file that may be there: variables of a firmware that a machine of that name had before. */
  readonly store: string | undefined;
}

async function planNew(
  paths: Paths,
  source: RestoreSource,
  target: MachineRef,
  { as, output }: RestoreOptions,
): Promise<NewPlan> {
  const { point } = source;
  const { longName, configPath } = target;
  const { text, config } = readBackupCfg(point, configPath, paths);
  const inCfg = source.disks.filter(({ disk }) => config.disks.some(({ index }) => disk.key === `DSK${index}`));
  const mayReturn = as === undefined && output === undefined;
  const newName = { dir: dirname(configPath), mayReturn, oldName: point.name, newName: longName };
  const images = newPlaces(
    inCfg.map(({ disk }) => disk),
    newName,
  );
  const variables = config.firmwareVariables === undefined ? undefined : newPlace(config.firmwareVariables, newName);
  if (process.getuid?.() === 0) await ensureOwnUser(config);
  const owner = ownedBy(await resolveRunAs(config));
  const others = machineFiles(point, config, target, { owner, variables });
  const cfg = restoredCfg(text, config, {
    configPath,
    disks: inCfg.flatMap(({ disk: saved }) =>
      config.disks
        .filter(({ index }) => saved.key === `DSK${index}`)
        .map((disk) => ({ disk, path: images.get(saved.key) ?? disk.file, format: formatOf(saved) })),
    ),
    firmwareVariables: variables === config.firmwareVariables ? undefined : variables,
    as,
    newUuid: randomUUID,
  });
  const cfgFile = { path: placeWithoutLinks(configPath), content: Buffer.from(cfg), owner: publicFile() };
  return {
    tasks: {
      what: `restoring ${point.name}@${point.point}`,
      disks: inCfg.map((each) => diskTask(each, images.get(each.disk.key) ?? '', owner)),
      files: [...others.tasks, cfgFile],
    },
    notes: [...others.notes, ...notesOn(source, config, images)],
    store: variables === undefined ? others.tasks[0]?.path : undefined,
  };
}

/** Whether an earlier call was killed after all was whole, and only the registration is left. */
async function isFinished(host: MachineContext, target: MachineRef, what: string): Promise<boolean> {
  const found = await settle(host, target, { timeoutMs: SETTLE_MS });
  return found.outcome === 'finished' && found.record.what === what && isThere(target.configPath);
}

const SETTLE_MS = 30_000;

/** As `create` makes it. */
function publicFile(): FileOwner {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, mode: 0o644 };
}

function demandUnused(target: MachineRef): void {
  if (locate(target.files).kind !== 'alive') return;
  throw new QemuError('QEMU_CONFIG_INVALID', `A machine "${target.longName}" is running, though it is not registered`, {
    hint: 'give another name: --as NAME',
  });
}

/** The short name of the backup, if it is free. @throws {ConfigError} when the long name is taken. */
function freeShortName(paths: Paths, longName: string, wanted: string): string {
  const text = readTextIfExists(paths.registryFile) ?? '';
  try {
    addRegistryEntry(text, wanted, longName);
    return wanted;
  } catch (error) {
    if (!(error instanceof ConfigError) || wanted === longName) throw error;
    addRegistryEntry(text, longName, longName);
    return longName;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Another machine of that name had left something there.
  }
}
