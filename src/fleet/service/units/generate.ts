import { existsSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { formatIssue } from '../../../config/text/issues.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { inspectMachineConfig, loadRegistry } from '../../../machine/load-config.ts';
import { readRecord } from '../../../machine/run/record.ts';
import type { StopSettings } from '../../../machine/run/stop-settings.ts';
import { diskChain } from '../../../machine/storage/disk-chain.ts';
import { isBehindAutomount } from '../../../system/files/automount.ts';
import { ensureDir } from '../../../system/files/files.ts';
import { followLocally, readMounts } from '../../../system/files/mounts.ts';
import { writeFileAtomic } from '../../../system/files/write-file.ts';
import { type MachinePaths, machinePaths, type Paths } from '../../../system/paths.ts';
import { shutdownTargets } from '../../../system/services/shutdown-targets.ts';
import { unitFileText } from '../../../system/services/systemd.ts';
import { clusterResources, resourceOf } from '../../cluster/cib.ts';
import { namesInRunDir, runningAs, targetOfEntry } from '../../resolve.ts';
import { askedMachines } from '../asked.ts';
import { noteFiles, READ_FILES } from './read-files.ts';
import { type PlannedMachine, planUnits } from './unit-plan.ts';
import { planUserUnits } from './user-plan.ts';
import { wantsAutostart } from './wants-autostart.ts';

/** What the generator found and wrote. */
export interface Generated {
  readonly files: readonly string[];
  /** Why a machine has no drop-in. */
  readonly problems: readonly string[];
}

/**
 * Writes the drop-ins of all registered machines, and of those that were started by their paths (systemd.generator(7)).
 * A machine whose file has mistakes gets none; if it must start at boot it is wanted nevertheless, so that its unit
 * fails visibly. Nothing is executed, and only configuration is read.
 *
 * @param dir folder for units of normal priority.
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED` when a file cannot be written.
 */
export function generateUnits(paths: Paths, dir: string): Generated {
  // Of each before it is read.
  const notes = [noteFiles([paths.registryFile, paths.defaultsFile])];
  const registry = loadRegistry(paths.registryFile);
  const problems = registry.issues.map(formatIssue);
  const resources = clusterResources(paths);
  const broken: string[] = [];
  const missing: string[] = [];
  const faulty: string[] = [];
  const machines = registry.entries.flatMap((entry): PlannedMachine[] => {
    if (entry.dir !== undefined && isBehindAutomount(entry.dir)) {
      missing.push(join(entry.dir, `${entry.longName}-qemu.cfg`));
      return [];
    }
    const target = targetOfEntry(paths, entry);
    notes.push(noteFiles([target.configPath]));
    const { config: read, issues } = inspectMachineConfig(target.configPath, paths.defaultsFile);
    const resource = resourceOf(resources, target);
    // Two nodes would run it.
    const config = read && resource !== undefined ? { ...read, autostart: false } : read;
    if (read?.autostart && resource !== undefined) {
      problems.push(`${target.longName}: AUTOSTART is ignored, since the cluster starts it (resource "${resource}")`);
    }
    if (config) return [{ target, config, ...filesOf(paths, config) }];
    (existsSync(target.configPath) ? faulty : missing).push(target.configPath);
    if (resource !== undefined) {
      problems.push(...issues.filter(({ severity }) => severity === 'error').map(formatIssue));
      return [];
    }
    if (wantsAutostart(target.configPath) ?? wantsAutostart(paths.defaultsFile)) broken.push(target.longName);
    problems.push(...issues.filter(({ severity }) => severity === 'error').map(formatIssue));
    return [];
  });
  const registered = new Set(registry.entries.map(({ longName }) => longName));
  const asked = askedMachines(paths).filter(({ longName }) => !registered.has(longName));
  for (const { longName, configPath } of asked) {
    if (isBehindAutomount(dirname(configPath))) continue;
    notes.push(noteFiles([configPath]));
    const { config } = inspectMachineConfig(configPath, paths.defaultsFile);
    if (!config) {
      faulty.push(configPath);
      continue;
    }
    machines.push({ target: { longName, configPath, shortName: undefined }, config, ...filesOf(paths, config) });
  }
  const known = new Set(machines.map(({ target }) => target.longName));
  const running = runsIn(paths).filter(({ longName }) => !known.has(longName));
  const taken = registry.entries
    .map(({ shortName }) => shortName)
    .filter((name) => asked.some(({ longName }) => longName === name) || runningAs(paths, name) !== undefined);
  const files =
    paths.scope === 'user'
      ? planUserUnits(machines, broken)
      : planUnits(machines, {
          broken,
          missing,
          faulty,
          running,
          taken,
          unit: unitFileText('qemu@.service'),
          shutdown: shutdownTargets(),
          lanes: 2 * availableParallelism(),
        });
  for (const file of files) {
    const path = join(dir, file.path);
    ensureDir(join(path, '..'), 0o755);
    writeFileAtomic(path, file.text, 0o644);
  }
  ensureDir(dir, 0o755);
  writeFileAtomic(join(dir, READ_FILES), notes.join(''), 0o644);
  return { files: files.map(({ path }) => path), problems };
}

/**
 * Where the links among a machine's images lead, and the other files that they consist of. What is on a file system
 * that is not mounted yet is found when that is read again. Files on network file systems are not opened, since systemd
 * waits for its generators and a server that does not answer would block everything.
 */
function filesOf(paths: Paths, { longName, disks }: MachineConfig): { realFiles: string[]; readFiles: string[] } {
  const realFiles: string[] = [];
  const readFiles: string[] = [];
  const mounts = readMounts();
  const isLocal = (path: string): boolean => followLocally(path, mounts).isLocal;
  for (const disk of disks) {
    const { file, readonly } = disk;
    const place = followLocally(file, mounts);
    if (!place.isLocal && place.path !== file) (readonly ? readFiles : realFiles).push(place.path);
    if (!place.isLocal) continue;
    for (const layer of diskChain(paths, longName, disk, { mayOpen: isLocal }).layers) {
      if (layer.stats === undefined) continue;
      const isWritten = layer.depth === 0 && !readonly;
      const names = [layer.file, realPath(layer.file)].filter((path) => path !== file && !path.startsWith('/dev/'));
      (isWritten ? realFiles : readFiles).push(...new Set(names));
    }
  }
  return { realFiles, readFiles };
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Runs that stored how they must be stopped. Those of machines that have ended meanwhile do no harm. */
function runsIn(paths: Paths): { longName: string; stop: StopSettings }[] {
  return namesInRunDir(paths).flatMap((longName) => {
    const stop = stopSettingsOfRun(machinePaths(paths, longName));
    return stop === undefined ? [] : [{ longName, stop }];
  });
}

function stopSettingsOfRun(files: MachinePaths): StopSettings | undefined {
  try {
    return readRecord(files)?.stop;
  } catch {
    // An unreadable one must not keep the others from having units.
    return undefined;
  }
}
