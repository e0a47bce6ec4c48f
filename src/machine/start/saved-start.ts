import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { isThere } from '../../system/files/files.ts';
import type { ProcessInfo } from '../../system/process/process.ts';
import { NO_SLOT } from '../allocation.ts';
import type { ArgvRequest } from '../argv/request.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { openAgentOf } from '../control/agent.ts';
import type { RunRecord } from '../run/record.ts';
import { hardwareNow } from '../state/hardware-now.ts';
import { openSaved, refuseDifferences } from '../state/load.ts';
import { savedDifferences, savedMachineType } from '../state/saved-differences.ts';
import { fileHashes, savedImages } from '../state/saved-facts.ts';
import { dropSaved, isSaved, savedFolder, tidySaved } from '../state/saved-folder.ts';
import { readSavedRecord, type SavedRecord } from '../state/saved-record.ts';
import { type LaunchMode, makeRequest } from './launch-request.ts';
import type { Prepared } from './prepare.ts';

/**
 * The saved state that a start goes on from; undefined when there is none. It is checked against what the machine would be
 * now.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE` when it does not fit, or is damaged; it stays then. `QEMU_USAGE` with
 * `preconfig`.
 */
export async function savedStart(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  prepared: Prepared,
  mode: LaunchMode & { readonly fresh?: boolean | undefined },
): Promise<SavedRecord | undefined> {
  const { files } = target;
  tidySaved(files);
  if (mode.fresh === true || !isSaved(files)) return undefined;
  if (mode.preconfig === true) {
    const message = `Machine "${target.longName}" has a saved state, from which its start goes on: --preconfig is not possible`;
    throw new QemuError('QEMU_USAGE', message, { hint: 'to start without the state, which drops it: --fresh' });
  }
  const record = openSaved(target);
  const request = await makeRequest(host, target, config, prepared, NO_SLOT, { lease: false });
  const differences = savedDifferences(record, {
    ...hardwareNow(config, prepared, request),
    images: savedImages(host.paths, config),
    hashes: fileHashes(request.config, files),
  });
  refuseDifferences(target, record, differences);
  return record;
}

/** What QEMU is started with to go on from a state. */
export function incomingRequest(request: ArgvRequest, saved: Pick<SavedRecord, 'machineType' | 'args'>): ArgvRequest {
  const machine = savedMachineType(saved, request.config.machine);
  return { ...request, config: { ...request.config, machine }, paused: true, isIncoming: true };
}

/** Drops the saved state of a machine that is about to be started without it, and says so. */
export function dropForFresh(host: MachineContext, target: MachineRef): void {
  if (!isSaved(target.files)) return;
  const since = readSavedRecord(target.files, 'saved')?.savedAt;
  const message = `its saved state${since === undefined ? '' : ` of ${since}`} is dropped: the guest starts as after a power cut`;
  host.notify({ level: 'warning', machine: target.longName, message });
  dropSaved(target.files);
}

/** Whether a QEMU is what a start has left that was killed before its guest could go on: it can be ended. */
export function isHalfLoaded({ files }: MachineRef, record: RunRecord | undefined, process: ProcessInfo): boolean {
  return record?.phase === 'starting' && process.argv.includes('-incoming') && isThere(savedFolder(files, 'loading'));
}

/** The agent of a guest that goes on is there at once, or not at all. */
const AGENT_MS = 2_000;

/** Sets the clock of a guest that has stood still, where its agent can. */
export async function setGuestClock(
  host: MachineContext,
  target: MachineRef,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    using agent = await openAgentOf(host, target, { timeoutMs: AGENT_MS, signal });
    await agent.setTime(new Date(), { timeoutMs: AGENT_MS, signal });
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const message = `the clock of the guest is not set (${error.message})`;
    host.notify({ level: 'debug', machine: target.longName, message });
  }
}
