import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { formatIssue } from '../../config/issues.ts';
import { inspectMachineConfig, loadRegistry } from '../../config/load.ts';
import { ensureDir, writeFileAtomic } from '../../system/files.ts';
import type { Paths } from '../../system/paths.ts';
import { targetOfEntry } from '../resolve.ts';
import { type PlannedMachine, planUnits } from './plan.ts';

/** What the registered machines come to. */
export interface Generated {
  readonly files: readonly string[];
  /** Why a machine has no unit of its own. */
  readonly problems: readonly string[];
}

/**
 * Writes the drop-ins of all registered machines (systemd.generator(7)). A machine whose file is wrong has none: it could
 * not start. Nothing is executed and nothing but configuration is read.
 *
 * @param dir folder for units of normal priority.
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED` when a file cannot be written.
 */
export function generateUnits(paths: Paths, dir: string): Generated {
  const registry = loadRegistry(paths.registryFile);
  const problems = registry.issues.map(formatIssue);
  const machines = registry.entries.flatMap((entry): PlannedMachine[] => {
    const target = targetOfEntry(paths, entry);
    const { config, issues } = inspectMachineConfig(target.configPath, paths.defaultsFile);
    if (config) return [{ target, config }];
    problems.push(...issues.filter(({ severity }) => severity === 'error').map(formatIssue));
    return [];
  });
  const files = planUnits(machines, { lanes: 2 * availableParallelism() });
  for (const file of files) {
    const path = join(dir, file.path);
    ensureDir(join(path, '..'), 0o755);
    writeFileAtomic(path, file.text, 0o644);
  }
  return { files: files.map(({ path }) => path), problems };
}
