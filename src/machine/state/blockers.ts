import { statfsSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import { asArray, asRecord, asText } from '../../base/guards.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { readMemoryUse } from '../../system/process/memory-use.ts';
import type { MachineRef } from '../context.ts';
import { queryState } from '../control/query-state.ts';
import { describeState } from '../control/run-state.ts';
import { readLaunchRecord } from '../run/launch-record.ts';

/** For device states, and for what the guest touches while it is being saved. */
const SPARE_BYTES = 16 * 1024 * 1024;

/** States that a guest can be saved in. */
const CAN_BE_SAVED: readonly string[] = ['running', 'paused'];

/** What a state needs of a machine: its disks, and the keys of devices that came or went since its start. */
type Savable = Pick<MachineConfig, 'disks'> & { readonly plugged: readonly string[] };

/**
 * Asks everything that could prevent a save, before anything is done to the guest. Returns whether it runs.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE` with all that is in the way.
 */
export async function checkSavable(
  target: MachineRef,
  savable: Savable,
  client: QmpClient,
  options: ExecuteOptions,
): Promise<{ readonly wasRunning: boolean }> {
  const { longName } = target;
  const { state, wasRunning, reasons } = await stateObstacles(target, savable, client, options);
  if (reasons.length === 0) return { wasRunning };
  throw new QemuError('QEMU_MACHINE_STATE', `Cannot save machine "${longName}": ${reasons.join('; ')}`, {
    hint: CAN_BE_SAVED.includes(state)
      ? `it goes on as before; to shut the guest down instead: qemu-init stop ${longName}`
      : `see what it waits for: qemu-init status ${longName}`,
  });
}

/** All that prevents that the state of a guest goes to a file, or to another QEMU; and the state of the guest. */
export async function stateObstacles(
  target: MachineRef,
  { disks, plugged }: Savable,
  client: QmpClient,
  options: ExecuteOptions,
): Promise<{ readonly state: string; readonly wasRunning: boolean; readonly reasons: readonly string[] }> {
  const state = await queryState(client, options);
  const reasons = [
    // The state is for the same hardware in the same places, which the next start would not make.
    ...(plugged.length === 0 ? [] : [`${plugged.join(', ')} came or went since its start`]),
    ...(CAN_BE_SAVED.includes(state) ? [] : [`it is ${describeState(state)}`]),
    ...stuckDevices(target.files),
    ...disks
      .filter(({ snapshot }) => snapshot)
      .map(({ index }) => `DSK${index} has snapshot=on: what the guest has written goes away with QEMU`),
    ...(await jobReasons(client, options)),
    ...(await migrationReasons(client, options)),
  ];
  return { state, wasRunning: state === 'running', reasons };
}

/** What of a running machine keeps its state elsewhere, as clauses: QEMU itself would notice only in the end. */
export function stuckDevices(files: MachinePaths): string[] {
  const parts = readLaunchRecord(files)?.parts ?? [];
  return parts.flatMap((part) => {
    const driver = part.kind === 'device' ? part.driver : part.kind === 'option' ? (part.args[1] ?? '') : '';
    const what = STUCK.find(([pattern]) => pattern.test(driver))?.[1];
    return what === undefined ? [] : [`${part.key} is ${what}, whose state cannot be saved`];
  });
}

const STUCK = [
  [/^vhost-user-fs/, 'a folder shared by virtiofsd'],
  [/^vfio-/, 'a device of the host'],
] as const;

async function jobReasons(client: QmpClient, options: ExecuteOptions): Promise<string[]> {
  const jobs = asArray(await client.executeRaw('query-jobs', undefined, options)).map(asRecord);
  const running = jobs.filter(({ status }) => status !== 'concluded' && status !== 'null');
  return running.map(({ id, type }) => `the job "${asText(id)}" (${asText(type)}) is not over`);
}

async function migrationReasons(client: QmpClient, options: ExecuteOptions): Promise<string[]> {
  const { status, ...info } = asRecord(await client.executeRaw('query-migrate', undefined, options));
  const isBusy = ['setup', 'active', 'device', 'pre-switchover', 'cancelling', 'wait-unplug'].includes(asText(status));
  return [
    ...(isBusy ? ['it is being saved or moved already'] : []),
    ...asArray(info['blocked-reasons']).map((reason) => `QEMU reports: ${asText(reason)}`),
  ];
}

/** Bytes that the state of a guest takes at most, about: what QEMU has of its memory. */
export function stateBytes(pid: number, memoryBytes: number): number {
  return Math.min(memoryBytes, readMemoryUse(pid) ?? memoryBytes) + SPARE_BYTES;
}

/**
 * Refuses a state that does not fit.
 *
 * @throws {QemuError} `QEMU_IO`
 */
export function checkRoom(folder: string, neededBytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= neededBytes) return;
  const mib = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`;
  throw new QemuError('QEMU_IO', `The state needs up to ${mib(neededBytes)}, but "${folder}" has ${mib(free)} free`, {
    hint: 'free some space there',
  });
}
