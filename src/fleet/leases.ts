import type { MachineConfig } from '../config/types.ts';
import { errorCode, QemuError } from '../errors.ts';
import type { Notify } from '../machine/host.ts';
import { type LeaseTable, leaseMacs, parseLeases, releaseMacs, renderLeases } from '../network/leases.ts';
import { previewMacs } from '../network/mac-preview.ts';
import { ensureDir, readTextIfExists, writeFileAtomic } from '../system/files.ts';
import { withLock } from '../system/lock.ts';
import type { Paths } from '../system/paths.ts';

const LOCK_TIMEOUT_MS = 60_000;

/** The addresses of a machine as they would be. Changes nothing. */
export function peekMacs(paths: Paths, config: MachineConfig): ReadonlyMap<number, string> {
  return leaseMacs(readLeases(paths), requestOf(config)).macs;
}

/** Address of a NIC. */
export interface NicAddress {
  readonly nic: number;
  readonly mac: string;
}

/**
 * The addresses as they would be if all of these machines were started, by long name. Changes nothing. No two are equal but
 * where `mac=` says so.
 */
export function peekMacsOfAll(
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
 * Gives a machine its addresses for good. The lock and the file are only touched when there is something new to write. A
 * state folder that cannot be written to costs a warning: the same addresses are derived again next time.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when `mac=` is another NIC's.
 */
export async function takeMacs(
  paths: Paths,
  config: MachineConfig,
  notify: Notify,
): Promise<ReadonlyMap<number, string>> {
  if (config.nics.length === 0) return new Map();
  const looked = leaseMacs(readLeases(paths), requestOf(config));
  if (!looked.changed) return looked.macs;
  return withLock(paths.leasesLock, { timeoutMs: LOCK_TIMEOUT_MS, purpose: 'lease' }, async () => {
    const table = readLeases(paths);
    const { macs, changed } = leaseMacs(table, requestOf(config));
    if (changed) {
      try {
        writeLeases(paths, table);
      } catch (error) {
        if (!(error instanceof QemuError)) throw error;
        const message = `cannot note the addresses in "${paths.leasesFile}" (${errorCode(error.cause) ?? error.message})`;
        notify({ level: 'warning', machine: config.longName, message });
      }
    }
    return macs;
  });
}

/** Frees the addresses of a machine. */
export async function freeMacs(paths: Paths, longName: string): Promise<void> {
  await withLock(paths.leasesLock, { timeoutMs: LOCK_TIMEOUT_MS, purpose: 'lease' }, async () => {
    const table = readLeases(paths);
    if (releaseMacs(table, longName)) writeLeases(paths, table);
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
