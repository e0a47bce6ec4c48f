import { statfsSync } from 'node:fs';
import { abortError } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { inPhases } from '../../base/phases.ts';
import type { MachineConfig } from '../../config/types.ts';
import { JobError } from '../../domain/job-error.ts';
import { newJobId } from '../../domain/job-id.ts';
import { tellCustomDisks } from '../check/custom-disks.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { memoryProgress } from '../observe/memory-progress.ts';
import { whileQuiet } from '../quiesce/quiesce.ts';
import { locate } from '../run/locate.ts';
import { stuckDevices } from '../state/blockers.ts';
import { tpmNow } from '../tpm/snapshot-tpm.ts';
import { doWork } from '../work/do-work.ts';
import { snapshotsBelow } from './below.ts';
import { chooseDisks } from './choose-disks.ts';
import type { CreatedSnapshot, CreateSnapshotOptions } from './create-options.ts';
import { hardwareOf } from './hardware.ts';
import { refuseDuringJobs, runToEnd } from './job-end.ts';
import { createOutside } from './outside/create-outside.ts';
import { refuseSavedDisks } from './saved-disks.ts';
import { type SnapshotDisk, snapshotsIn } from './snapshot-disks.ts';
import { checkSnapshotName, defaultSnapshotName } from './snapshot-name.ts';
import { noteSnapshot, readSnapshotNotes, type TpmNote } from './snapshot-notes.ts';
import type { OpenImages } from './stopped-images.ts';
import { withImages } from './with-images.ts';

/** What its kind of work has to know: see `create-work.ts`. */
export const CREATE_WORK = 'snapshot-create';

/**
 * Makes a snapshot of all disks at one instant, inside their images, of a machine that runs or does not.
 *
 * @throws {QemuError} `QEMU_USAGE` for a bad name; `QEMU_COMMAND_FAILED` for a name that is in use and disks that
 * cannot hold a snapshot; `QEMU_LOCKED` during other work on the disks; `QEMU_NOT_RUNNING` for RAM of a machine that
 * does not run; as {@link whileQuiet}; `QEMU_QMP_REFUSED`, `QEMU_ABORTED`: then nothing is left of it.
 */
export async function createSnapshot(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  options: CreateSnapshotOptions = {},
): Promise<CreatedSnapshot> {
  const began = performance.now();
  const name = options.name ?? defaultSnapshotName(new Date());
  checkSnapshotName(name);
  checkMemory(target, options);
  refuseSavedDisks(target, 'make a snapshot');
  tellCustomDisks(host, target, config, 'the snapshot');
  if (options.external === true) {
    const refuse = (disks: readonly SnapshotDisk[]): void => refuseSame(target, name, disks);
    const laid = await createOutside({ host, target, config, name, options, refuse });
    return { snapshot: name, memory: false, external: true, ...laid, seconds: secondsSince(began) };
  }
  const plan = { kind: CREATE_WORK, what: `making snapshot "${name}"`, data: { name } };
  const made = await doWork(
    host,
    target,
    plan,
    async (work) => {
      const choice = { external: false, skipRaw: options.skipRaw === true };
      return withImages(
        host,
        target,
        config,
        options.signal,
        (disks) => chooseDisks(target.longName, disks, choice).chosen,
        async (images) => {
          const { chosen, skipped } = chooseDisks(target.longName, images.disks, choice);
          refuseSame(target, name, images.disks);
          // From here on there may be something to be undone.
          work.note({ data: { name, files: chosen.map(({ key, file }) => ({ key, file })) } });
          let tpm: TpmNote | undefined;
          const atInstant = (): void => {
            tpm = config.tpm ? tpmNow(target.files) : undefined;
            work.note({ data: { ...work.record.data, tpm } });
          };
          const how = await take(host, target, images, chosen, name, options, atInstant);
          const note = { name, created: new Date().toISOString(), description: options.description, layers: [] };
          const hardware = options.memory === true ? hardwareOf(target) : undefined;
          const keys = chosen.map(({ key }) => key);
          noteSnapshot(target.files, { ...note, quiesced: how.quiesced, hardware, disks: keys, tpm });
          return { ...how, created: note.created, skipped, disks: keys };
        },
      );
    },
    options.signal,
  );
  const seconds = secondsSince(began);
  return { snapshot: name, memory: options.memory === true, external: false, ...made, seconds };
}

function secondsSince(began: number): number {
  return Math.round(performance.now() - began) / 1000;
}

function checkMemory(target: MachineRef, { memory, quiesce, external }: CreateSnapshotOptions): void {
  if (memory !== true) return;
  if (external === true) {
    throw new QemuError('QEMU_USAGE', 'An external snapshot has no memory', {
      hint: 'leave out --external; or save the machine with its memory: qemu-init save',
    });
  }
  if (locate(target.files).kind !== 'alive') throw notRunning(target);
  const stuck = stuckDevices(target.files);
  if (stuck.length > 0) {
    const message = `Cannot make a snapshot with the memory of machine "${target.longName}": ${stuck.join('; ')}`;
    throw new QemuError('QEMU_MACHINE_STATE', message, { hint: 'leave out --memory' });
  }
  if (quiesce !== 'on') return;
  throw new QemuError('QEMU_USAGE', 'A snapshot with memory cannot be quiesced: its guest would go on frozen', {
    hint: 'memory and disks fit together without it',
  });
}

/** @throws {QemuError} `QEMU_COMMAND_FAILED` when there is a snapshot of that name. */
function refuseSame(target: MachineRef, name: string, disks: readonly SnapshotDisk[]): void {
  const notes = readSnapshotNotes(target.files);
  const isThere =
    snapshotsIn(disks).has(name) ||
    snapshotsBelow(notes).has(name) ||
    notes.some((note) => note.name === name && note.layers.length > 0);
  if (!isThere) return;
  throw new QemuError('QEMU_COMMAND_FAILED', `Machine "${target.longName}" already has a snapshot "${name}"`, {
    hint: 'choose another name, or delete that one first',
  });
}

/** Makes it: QEMU does all disks or none. What is not in the disks is looked at `atInstant`. */
async function take(
  host: MachineContext,
  target: MachineRef,
  { domain, isRunning }: OpenImages,
  chosen: OpenImages['disks'],
  name: string,
  { memory, quiesce = 'auto', signal, onProgress }: CreateSnapshotOptions,
  atInstant: () => void,
): Promise<{ readonly quiesced: boolean; readonly whyNotQuiesced: string | undefined }> {
  const nodes = chosen.map(({ node }) => node);
  if (signal?.aborted) throw abortError(signal);
  if (memory === true) {
    await refuseDuringJobs(domain, 'save the memory');
    const job = newJobId('snapshot-save', 'all');
    atInstant();
    try {
      await inPhases(onProgress, async (begin) => {
        begin('writing the memory of the guest, which stands still', memoryProgress(target, 'written'));
        await runToEnd(domain, 'snapshot-save', { 'job-id': job, tag: name, vmstate: nodes[0], devices: nodes });
      });
    } catch (error) {
      throw error instanceof JobError ? notWritten(error, chosen[0]?.file ?? '') : error;
    }
    // QEMU cannot be stopped in the middle: what came to be is undone.
    if (signal?.aborted) throw abortError(signal);
    return { quiesced: false, whyNotQuiesced: undefined };
  }
  const actions = nodes.map((device) => ({ type: 'blockdev-snapshot-internal-sync', data: { device, name } }));
  const wish = { quiesce: isRunning ? quiesce : 'off', client: domain.client, signal } as const;
  const { quiesced, whyNot } = await whileQuiet(host, target, wish, () => {
    atInstant();
    return domain.run('transaction', { actions });
  });
  return { quiesced, whyNotQuiesced: whyNot };
}

/** QEMU calls a full file system an input/output error there. */
function notWritten(cause: JobError, file: string): QemuError {
  const { bavail, bsize } = statfsSync(file);
  const free = Math.floor((bavail * bsize) / 1024 ** 2);
  return new QemuError('QEMU_COMMAND_FAILED', `The memory could not be written to "${file}"`, {
    cause,
    hint: `it takes as much as the guest uses of its RAM; ${free} MiB are free there`,
  });
}
