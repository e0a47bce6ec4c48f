import { QemuError } from '../../base/errors.ts';
import { type BeginPhase, inPhases } from '../../base/phases.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import { Domain } from '../../domain/domain.ts';
import { newJobId } from '../../domain/job-id.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withControl } from '../control/control-port.ts';
import { memoryProgress } from '../observe/memory-progress.ts';
import { locate } from '../run/locate.ts';
import { exclusively } from '../run/run-lock.ts';
import { doWork, type Work } from '../work/do-work.ts';
import { settleFirst } from '../work/settle-first.ts';
import { ENDS_MACHINE } from '../work/work-record.ts';
import { isBelow } from './below.ts';
import { removeBitmaps } from './bitmaps.ts';
import { unknownSnapshot } from './delete.ts';
import { REVERT_WORK } from './half-reverted.ts';
import { requireHardware } from './hardware.ts';
import { refuseDuringJobs, runToEnd } from './job-end.ts';
import { listSnapshots, type Snapshot } from './list.ts';
import { LAYER_WORK } from './outside/lay-over.ts';
import { revertOutside } from './outside/revert-outside.ts';
import { revertDisks } from './revert-disks.ts';
import { refuseSavedDisks } from './saved-disks.ts';
import { disksOfQemu, snapshotsIn } from './snapshot-disks.ts';
import { readSnapshotNotes } from './snapshot-notes.ts';

/** How a machine is ended at once and started, in the way that its host does it. */
export interface Life {
  readonly quit: (signal: AbortSignal | undefined) => Promise<void>;
  readonly start: (signal: AbortSignal | undefined) => Promise<void>;
}

/** What was reverted. */
export interface RevertedSnapshot {
  readonly snapshot: string;
  /** Whether the guest goes on from RAM and devices of then. */
  readonly memory: boolean;
  /** `stopped` as before, `running`, or `paused`: a guest that is paused stays so when it gets its memory of then. */
  readonly state: string;
  readonly disks: readonly string[];
  /** Of an external one: files with what the disks were before, which nothing rests on now. */
  readonly kept: readonly string[];
  readonly seconds: number;
}

const CONTROL_MS = 10_000;

/** What came of it. */
interface Reverted {
  readonly kept: readonly string[];
  readonly isPaused?: boolean;
}

/** One revert of a machine. */
interface Revert {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
  readonly snapshot: Snapshot;
  readonly life: Life;
  readonly signal: AbortSignal | undefined;
  readonly begin: BeginPhase;
}

/**
 * Makes a machine what it was at a snapshot; what it is now is lost. One that runs goes on from the RAM of then when
 * the snapshot has it; else QEMU is ended, the disks are reverted and the machine is started. One that does not run
 * stays so. The next backup is a full one.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when there is none of that name, or it cannot be reverted: the disks are as
 * before then; `QEMU_LOCKED`, `QEMU_ABORTED` before anything was changed; and what a start throws.
 */
export function revertSnapshot(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  name: string,
  life: Life,
  { signal, onProgress }: LongWorkOptions = {},
): Promise<RevertedSnapshot> {
  return inPhases(onProgress, (begin) => revertInPhases({ host, target, config, life, signal, begin }, name));
}

async function revertInPhases(
  { host, target, config, life, signal, begin }: Omit<Revert, 'snapshot'>,
  name: string,
): Promise<RevertedSnapshot> {
  const began = performance.now();
  await settleFirst(host, target);
  const snapshot = listSnapshots(host, target, config).find((each) => each.name === name);
  if (!snapshot) throw unknownSnapshot(target, name);
  if (snapshot.below !== undefined) throw isBelow(target, name, snapshot.below);
  refuseSavedDisks(target, 'revert to a snapshot');
  requireWhole(target, snapshot);
  const revert: Revert = { host, target, config, snapshot, life, signal, begin };
  const isRunning = locate(target.files).kind === 'alive';
  const memory = isRunning && snapshot.memory;
  const data = { name, [ENDS_MACHINE]: isRunning && !memory };
  const kind = snapshot.external ? LAYER_WORK : REVERT_WORK;
  const plan = { kind, what: `reverting to snapshot "${name}"`, data };
  const { kept, isPaused = false } = await doWork(
    host,
    target,
    plan,
    (work) => (memory ? loadMemory(revert, work) : revertStopped(revert, work, isRunning)),
    signal,
  ).catch((error: unknown) => {
    if (isRunning && !memory) tellStopped(host, target);
    throw error;
  });
  if (isRunning && !memory) {
    begin('starting the machine');
    await life.start(signal);
  }
  const seconds = Math.round(performance.now() - began) / 1000;
  const state = isPaused ? 'paused' : isRunning ? 'running' : 'stopped';
  return { snapshot: name, memory, state, disks: snapshot.disks, kept, seconds };
}

/** It was ended for the revert, which failed. */
function tellStopped(host: MachineContext, { files, longName }: MachineRef): void {
  if (locate(files).kind === 'alive') return;
  const message = `the machine was stopped for it; to start it: qemu-init start ${longName}`;
  host.notify({ level: 'warning', machine: longName, message });
}

/** Disks of different times would not fit together: a deletion may have been interrupted. */
function requireWhole(target: MachineRef, { name, disks, external }: Snapshot): void {
  const note = readSnapshotNotes(target.files).find(
    (each) => each.name === name && each.layers.length > 0 === external,
  );
  const missing = note?.disks?.filter((key) => !disks.includes(key)) ?? [];
  if (missing.length === 0) return;
  throw new QemuError(
    'QEMU_COMMAND_FAILED',
    `Snapshot "${name}" is not whole: ${missing.join(', ')} no longer has it`,
    {
      hint: `a revert would mix disks of different times; delete the rest of it: ${shellCommand('qemu-init', 'snapshot', 'delete', target.longName, name)}`,
    },
  );
}

async function revertStopped(
  { host, target, config, snapshot, life, signal, begin }: Revert,
  work: Work,
  isRunning: boolean,
): Promise<Reverted> {
  if (isRunning) {
    await withControl(host, target, { timeoutMs: CONTROL_MS, signal }, (client) =>
      refuseDuringJobs(new Domain(client, target.longName), 'revert the disks'),
    );
    begin('ending QEMU');
    await life.quit(signal);
  }
  begin('reverting the disks');
  return exclusively(host, target, { purpose: 'snapshot', signal }, async () => {
    const note = readSnapshotNotes(target.files).find(({ name }) => name === snapshot.name);
    if (snapshot.external && note) return { kept: await revertOutside(host, target, config, note, work) };
    // From here on it is ended, whoever gives up waiting.
    await revertDisks({ host, target, config }, snapshot.name, () => noteBegun(work), begin);
    return { kept: [] };
  });
}

function noteBegun(work: Work): void {
  work.note({ data: { ...work.record.data, hasBegun: true } });
}

async function loadMemory(revert: Revert, work: Work): Promise<Reverted> {
  const { host, target, config, snapshot, life, signal, begin } = revert;
  try {
    return await withControl(host, target, { timeoutMs: CONTROL_MS, signal }, async (client) => {
      const domain = new Domain(client, target.longName);
      await refuseDuringJobs(domain, 'load the memory');
      const all = await disksOfQemu(domain, config, target.files);
      const holders = snapshotsIn(all).get(snapshot.name);
      const disks = all.filter(({ key }) => holders?.has(key));
      const nodes = disks.map(({ node }) => node);
      const vmstate = disks.find(({ key }) => (holders?.get(key)?.memoryBytes ?? 0) > 0)?.node;
      const note = readSnapshotNotes(target.files).find(({ name }) => name === snapshot.name);
      requireHardware(target, snapshot.name, note?.hardware);
      noteBegun(work);
      await removeBitmaps(domain, nodes);
      const memoryBytes = disks.reduce((most, { key }) => Math.max(most, holders?.get(key)?.memoryBytes ?? 0), 0);
      begin('loading the memory', memoryProgress(target, 'read', memoryBytes));
      const job = newJobId('snapshot-load', 'all');
      await runToEnd(domain, 'snapshot-load', { 'job-id': job, tag: snapshot.name, vmstate, devices: nodes });
      return { kept: [], isPaused: await standsStill(domain) };
    });
  } catch (error) {
    if (work.record.data['hasBegun'] !== true || !(error instanceof QemuError)) throw error;
    // The disks may be those of then already, which RAM of now would destroy.
    await life.quit(undefined);
    begin('reverting the disks');
    await exclusively(host, target, { purpose: 'snapshot' }, () =>
      revertDisks({ host, target, config }, snapshot.name, () => {}, begin),
    );
    throw new QemuError('QEMU_COMMAND_FAILED', `The memory of snapshot "${snapshot.name}" could not be loaded`, {
      cause: error,
      hint: `the machine is stopped, its disks are reverted; to start it from them: qemu-init start ${target.longName}`,
    });
  }
}

/** Whether the processors stand still; QEMU says prelaunch, too, when the guest has not run before. */
async function standsStill(domain: Domain): Promise<boolean> {
  try {
    return (await domain.status()) !== 'running';
  } catch (error) {
    // The memory is loaded: an answer that is missing must not undo that.
    if (!(error instanceof QemuError)) throw error;
    return false;
  }
}
