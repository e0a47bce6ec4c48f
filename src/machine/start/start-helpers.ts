import type { Duplex } from 'node:stream';
import type { MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { HelperProcess } from '../run/record.ts';
import { startShares } from '../share/start-shares.ts';
import { startTpm } from '../tpm/start-tpm.ts';
import { prefixOf, type RunAs } from './run-as.ts';

/** A program that QEMU needs, and the socket by which QEMU reaches it. */
export interface StartedHelper {
  readonly process: HelperProcess;
  readonly socket: Duplex;
}

/** Where the programs run. */
export interface HelperOptions {
  /** What gives them mounts of their own, in front of their command lines. */
  readonly surroundings: readonly string[];
  readonly user: RunAs | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Starts the programs that the QEMU of a machine needs while it runs, in the order of the descriptors that it is to have
 * of them.
 *
 * @param onStart called for each, as soon as it is there: what goes wrong after that ends it.
 * @throws {QemuError} as {@link startTpm} and {@link startShares}.
 */
export async function startHelpers(
  config: MachineConfig,
  files: MachinePaths,
  { surroundings, user, signal }: HelperOptions,
  onStart: (started: StartedHelper) => void,
): Promise<void> {
  const prefix = [...surroundings, ...prefixOf(config, user)];
  const tpm = await startTpm(config, files, { prefix, user, signal });
  if (tpm) onStart(tpm);
  // Its own user namespace takes the other groups away from virtiofsd in any case.
  const alone = [...surroundings, ...prefixOf(config, user && { ...user, groups: [] })];
  await startShares(config, files, { prefix: alone, user, signal, onStart });
}
