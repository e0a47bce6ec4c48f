import { ConfigError } from '../base/config-error.ts';
import { errorCode, QemuError } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import type { MachineConfig } from '../config/types.ts';
import { issueAt } from '../machine/check/issues.ts';
import { readConfigText } from '../machine/config-text.ts';
import type { Notify } from '../machine/context.ts';
import { inspectMachineConfig, loadRegistry } from '../machine/load-config.ts';
import {
  type LeaseTable,
  leaseMacs,
  parseLeases,
  releaseMacs,
  renameMacs,
  renderLeases,
} from '../network/mac/mac-leases.ts';
import { previewMacs } from '../network/mac/mac-preview.ts';
import { ensureDir, readTextIfExists } from '../system/files/files.ts';
import { writeFileAtomic } from '../system/files/write-file.ts';
import { withLock } from '../system/lock/lock.ts';
import type { Paths } from '../system/paths.ts';
import { findConfig } from './resolve.ts';

const LOCK_TIMEOUT_MS = 60_000;

/** The addresses of a machine as they would be. Changes nothing. */
export function previewMacsOf(paths: Paths, config: MachineConfig): ReadonlyMap<number, string> {
  return lease(readLeases(paths), config).macs;
}

/** Fixed addresses that another machine has. */
export function macIssues(paths: Paths, config: MachineConfig): Problem[] {
  return takenMacs(readLeases(paths), config);
}

/** Address of a NIC. */
export interface NicAddress {
  readonly nic: number;
  readonly mac: string;
}

/**
 * The addresses as they would be if all of these machines were started, by long name. Changes nothing. No two are equal
 * unless `mac=` sets them so.
 */
export function previewMacsOfAll(
  paths: Paths,
  configs: readonly MachineConfig[],
): ReadonlyMap<string, readonly NicAddress[]> {
  const macs = previewMacs(readLeases(paths), configs.map(requestOf));
  return new Map(
    configs.map(({ longName }) => [
      longName,
      macs.filter(({ machine }) => machine === longName).map(({ index, mac }) => ({ nic: index, mac })),
    ]),
  );
}

/**
 * Gives a machine its addresses for good. The lock and the file are only touched when there is something new to write.
 * A state folder that cannot be written to costs a warning: the same addresses are derived again next time.
 *
 * @throws {ConfigError} when `mac=` is the address of another machine.
 */
export async function leaseMacsOf(
  paths: Paths,
  config: MachineConfig,
  notify: Notify,
): Promise<ReadonlyMap<number, string>> {
  if (config.nics.length === 0) return new Map();
  const looked = lease(readLeases(paths), config);
  if (!looked.changed) return looked.macs;
  return withLock(paths.leasesLock, { timeoutMs: LOCK_TIMEOUT_MS, purpose: 'lease' }, async () => {
    const table = readLeases(paths);
    const { macs, changed } = lease(table, config, fixedElsewhere(paths, config.longName));
    if (changed) {
      try {
        writeLeases(paths, table);
      } catch (error) {
        if (!(error instanceof QemuError)) throw error;
        const message = `cannot write the addresses to "${paths.leasesFile}" (${errorCode(error.cause) ?? error.message})`;
        notify({ level: 'warning', machine: config.longName, message });
      }
    }
    return macs;
  });
}

/** Whether a machine holds addresses. */
export function hasMacs(paths: Paths, longName: string): boolean {
  return readLeases(paths).machines.has(longName);
}

/** Frees the addresses of a machine. */
export async function freeMacs(paths: Paths, longName: string): Promise<void> {
  await withLock(paths.leasesLock, { timeoutMs: LOCK_TIMEOUT_MS, purpose: 'lease' }, async () => {
    const table = readLeases(paths);
    if (releaseMacs(table, longName)) writeLeases(paths, table);
  });
}

/** Gives the addresses of a machine to another name of it. */
export async function moveMacs(paths: Paths, from: string, to: string): Promise<void> {
  await withLock(paths.leasesLock, { timeoutMs: LOCK_TIMEOUT_MS, purpose: 'lease' }, async () => {
    const table = readLeases(paths);
    if (renameMacs(table, from, to)) writeLeases(paths, table);
  });
}

function lease(
  table: LeaseTable,
  config: MachineConfig,
  takenElsewhere?: ReadonlySet<string>,
): ReturnType<typeof leaseMacs> {
  const issues = takenMacs(table, config);
  if (issues.length > 0) throw new ConfigError(`Cannot use "${config.path}"`, issues);
  return leaseMacs(table, requestOf(config), takenElsewhere);
}

/** What a derived address begins with: only fixed addresses of this kind can be in its way. */
const DERIVED = /de:ad:be:ef/i;

/** Upper-case addresses that files of other registered machines fix with `mac=` and that are not leased yet. */
function fixedElsewhere(paths: Paths, longName: string): Set<string> {
  const others = loadRegistry(paths.registryFile).entries.filter((entry) => entry.longName !== longName);
  const macs = others.flatMap((entry) => {
    const read = readConfigText(findConfig(paths, entry.longName, entry.dir));
    if (!('text' in read) || !DERIVED.test(read.text)) return [];
    const { draft } = inspectMachineConfig(findConfig(paths, entry.longName, entry.dir), paths.defaultsFile);
    return draft?.nics.flatMap(({ mac }) => mac?.toUpperCase() ?? []) ?? [];
  });
  return new Set(macs);
}

function takenMacs(table: LeaseTable, config: MachineConfig): Problem[] {
  return config.nics.flatMap(({ index, mac }) => {
    const owner = mac === undefined ? undefined : table.owners.get(mac.toUpperCase());
    if (owner === undefined || owner.machine === config.longName) return [];
    const message = `NIC${index} has the address ${mac} of NIC${owner.index} of machine "${owner.machine}"`;
    const hint = `leave mac= out, or free the addresses of "${owner.machine}": qemu-init unregister ${owner.machine}`;
    return [issueAt(config, `NIC${index}`, message, hint)];
  });
}

function readLeases(paths: Paths): LeaseTable {
  return parseLeases(readTextIfExists(paths.leasesFile));
}

function writeLeases(paths: Paths, table: LeaseTable): void {
  ensureDir(paths.stateDir, 0o755);
  writeFileAtomic(paths.leasesFile, renderLeases(table), 0o644, { durable: true });
}

function requestOf(config: MachineConfig): Parameters<typeof leaseMacs>[1] {
  return {
    machine: config.longName,
    name: config.name,
    os: config.os,
    nics: config.nics.map(({ index, mac }) => ({ index, mac })),
  };
}
