import { dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineManager } from '../../fleet/machine-manager.ts';
import { type Registration, registerMachine } from '../../fleet/register.ts';
import type { MachineRef } from '../../machine/context.ts';
import { copyRunning } from '../../machine/copy/copy-running.ts';
import { stoppedDisks } from '../../machine/disks/stopped-disks.ts';
import { exclusively } from '../../machine/run/run-lock.ts';
import { unknownSnapshot } from '../../machine/snapshot/delete.ts';
import { isSaved } from '../../machine/state/saved-folder.ts';
import { refuseDuringWork } from '../../machine/work/do-work.ts';
import { ensureDir } from '../../system/files/files.ts';
import { withImage } from '../../system/images/image.ts';
import { readSmallImage } from '../../system/images/small-image.ts';
import { machinePaths } from '../../system/paths.ts';
import type { User } from '../../system/users.ts';
import { ownerOf, refuseName } from '../create.ts';
import { makeDisk } from '../disks/make-disk.ts';
import { copyAside, examineImage } from '../disks/source-image.ts';
import { NewFiles } from '../new-files.ts';
import type { SeedOptions } from '../seed/seed-folder.ts';
import type { Settings } from '../short-options.ts';
import { PortClaims } from '../ssh-port.ts';
import { type ClonedDisk, type ClonePlan, folderOf, planClone } from './clone-plan.ts';
import { holdSource } from './hold-source.ts';
import { shareDisk } from './share-disk.ts';

/** How to clone a machine. */
export interface CloneOptions extends LongWorkOptions {
  /** Overlays of a common base instead of copies; for a machine that does not run. */
  readonly linked?: boolean | undefined;
  /** Copies the disks as they were at that snapshot; for a machine that does not run. */
  readonly snapshot?: string | undefined;
  /** Folder for all files (default: those of the source). */
  readonly dir?: string | undefined;
  /** Keys that are otherwise than in the source, and their values as written; relative paths are those of its file. */
  readonly settings?: Settings | undefined;
  /** Data for cloud-init in place of the source's. */
  readonly seed?: SeedOptions | undefined;
  readonly cwd?: string | undefined;
}

/** A clone that was made. */
export interface CloneResult extends Registration {
  /** The source ran. */
  readonly wasRunning: boolean;
  /** The file systems of its guest were frozen at the moment of the copy. */
  readonly quiesced: boolean;
  /** Ports of this host that lead to the clone, by those that lead to the source. */
  readonly ports: ReadonlyMap<number, number>;
}

/** All that the steps need. */
interface Cloning {
  readonly fleet: MachineManager;
  readonly source: MachineRef;
  readonly config: MachineConfig;
  readonly plan: ClonePlan;
  readonly options: CloneOptions;
  readonly files: NewFiles;
  /** User of the clone's QEMU. */
  readonly user: User | undefined;
  /** What is to be done when it fails. */
  readonly undo: (() => void)[];
}

/**
 * Makes a machine like another one: with copies of its disks and firmware variables, its own UUID, addresses, ports
 * and instance of cloud-init. Its TPM, its saved state and the snapshots of its disks are not copied. The source may
 * run: then the copies are of one instant. When anything fails nothing is left.
 *
 * @throws {ConfigError} when the source's file has mistakes.
 * @throws {QemuError} `QEMU_USAGE`, `QEMU_IO` when a file of that name exists, `QEMU_CONFIG_INVALID` when the name is
 * taken, `QEMU_STOP_FAILED` for what is not possible while the source runs, `QEMU_LOCKED`, `QEMU_COMMAND_FAILED`,
 * `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function cloneMachine(
  fleet: MachineManager,
  source: MachineRef,
  name: string,
  options: CloneOptions = {},
): Promise<CloneResult> {
  const claims = new PortClaims(fleet);
  try {
    return await cloneWith(fleet, source, name, options, claims);
  } finally {
    claims.release();
  }
}

async function cloneWith(
  fleet: MachineManager,
  source: MachineRef,
  name: string,
  options: CloneOptions,
  claims: PortClaims,
): Promise<CloneResult> {
  refuseName(name);
  if (options.linked && options.snapshot !== undefined) {
    throw new QemuError('QEMU_USAGE', '--linked cannot be combined with --snapshot');
  }
  const config = fleet.config(source);
  await refuseDuringWork(fleet.host, source, options.signal);
  const dir = folderOf(options.dir, options.cwd ?? process.cwd());
  const { settings = [], seed: newSeed } = options;
  const request = { name, isLinked: options.linked === true, dir, settings, seed: newSeed, claims };
  const plan = await planClone(fleet, source, config, request);
  const user = await ownerOf(plan.draft);
  const cloning: Cloning = { fleet, source, config, plan, options, files: new NewFiles(), user, undo: [] };
  const { configPath, seed, ports } = plan;
  const { files } = cloning;
  try {
    const { stateDir } = machinePaths(fleet.host.paths, name);
    if (plan.variables && dirname(plan.variables.to) === stateDir) files.ensureFolder(stateDir, 0o700);
    const copied = fleet.isAlive(source) ? await copyLive(cloning) : await copyStopped(cloning);
    if (seed) files.folder(seed.path, seed.files);
    ensureDir(dirname(configPath), 0o755);
    files.text(configPath, plan.text, 0o644);
    await files.commit();
    const registration = await registerMachine(fleet, name, configPath, dirname(configPath));
    return { ...registration, ...copied, ports };
  } catch (error) {
    files.undo();
    for (const step of cloning.undo.toReversed()) step();
    throw error;
  }
}

type CopyResult = Pick<CloneResult, 'wasRunning' | 'quiesced'>;

async function copyLive(cloning: Cloning): Promise<CopyResult> {
  const { fleet, source, config, plan, options, files, user } = cloning;
  const { longName } = source;
  if (options.linked || options.snapshot !== undefined) {
    const message = `${options.linked ? '--linked' : '--snapshot'} is not possible while machine "${longName}" runs`;
    throw new QemuError('QEMU_STOP_FAILED', message, { hint: `stop it first: qemu-init stop ${longName}` });
  }
  const keys = plan.disks.map(({ disk }) => `DSK${disk.index}`);
  const { signal, onProgress } = options;
  let quiesced = false;
  const copy = { what: `a clone to "${plan.draft.longName}"`, keys, dir: plan.diskDir, signal, onProgress };
  await copyRunning(fleet.host, source, config, copy, async (copied, wasQuiet) => {
    quiesced = wasQuiet;
    for (const { disk, path } of plan.disks) {
      await takeOver(cloning, path, copied.get(`DSK${disk.index}`) ?? '');
    }
    const variables = copied.get('vars');
    if (plan.variables && variables !== undefined)
      files.text(plan.variables.to, readSmallImage(variables), 0o600, user);
  });
  return { wasRunning: true, quiesced };
}

/**
 * Takes a file that the source's QEMU has written. A captured one could still have it open, so where it runs as a user of
 * its own the clone gets another file; and it could have written anything into it.
 */
async function takeOver({ files, user, options }: Cloning, path: string, from: string): Promise<void> {
  const part = files.file(path, user);
  // Not copyFile: from libuv 1.49 on it gives the copy to the owner of the original, who could open it in between.
  await copyAside(from, part, options.onProgress, options.signal);
  const { format } = await examineImage(part, { signal: options.signal, shownAs: path });
  if (format !== 'qcow2') throw new QemuError('QEMU_IO', `The copy for "${path}" is ${format}, not qcow2`);
}

/** No start comes in between. */
function copyStopped(cloning: Cloning): Promise<CopyResult> {
  const { fleet, source, config, plan, options, files, user } = cloning;
  const { signal } = options;
  return exclusively(fleet.host, source, { purpose: 'clone', signal }, async () => {
    if (fleet.isAlive(source)) {
      throw new QemuError('QEMU_STOP_FAILED', `Machine "${source.longName}" has started meanwhile: try again`);
    }
    const isInMemory = isSaved(source.files);
    if (isInMemory && options.linked) {
      throw new QemuError(
        'QEMU_STOP_FAILED',
        `Machine "${source.longName}" has a saved state, which its disks belong to`,
        {
          hint: 'leave out --linked, or start it and shut it down first',
        },
      );
    }
    if (isInMemory && options.snapshot === undefined) {
      const message = 'it has a saved state, which is not copied: the clone starts as after a power cut';
      fleet.host.notify({ level: 'warning', machine: source.longName, message });
    }
    if (options.linked) await refuseSnapshots(fleet, config, signal);
    if (options.snapshot !== undefined) await requireSnapshot(cloning, options.snapshot);
    for (const disk of plan.disks) await copyDisk(cloning, disk);
    const { variables } = plan;
    if (variables && hasFile(variables.from)) files.text(variables.to, readSmallImage(variables.from), 0o600, user);
    return { wasRunning: false, quiesced: true };
  });
}

async function copyDisk(
  { fleet, config, plan, options, files, user, undo }: Cloning,
  cloned: ClonedDisk,
): Promise<void> {
  const { disk, sizeBytes, path, base } = cloned;
  const { signal, onProgress, snapshot } = options;
  if (base !== undefined) {
    undo.push(await shareDisk(files, { ...cloned, base }, user, signal));
    return;
  }
  const phase = plan.disks.length > 1 ? `copying DSK${disk.index}` : 'copying';
  // A disk is as large as it was at the snapshot.
  const wanted = snapshot === undefined ? sizeBytes : 0;
  const chain = await holdSource(fleet.host.paths, config.longName, cloned, files, { signal, onProgress });
  const source = { path: disk.file, format: cloned.format, virtualSizeBytes: sizeBytes, snapshot, chain };
  await makeDisk(files.file(path, user), path, { sizeBytes: wanted, source }, { user, phase, signal, onProgress });
  for (const { isAside, path: aside } of chain ?? []) if (isAside) files.dropScratch(aside);
}

/** Before anything is made. */
async function requireSnapshot({ fleet, source, config, plan, options }: Cloning, name: string): Promise<void> {
  const copied = new Set(plan.disks.map(({ disk }) => `DSK${disk.index}`));
  const disks = (await stoppedDisks(fleet.host, config, options.signal)).filter(({ key }) => copied.has(key));
  const without = disks.filter(({ layers }) => !layers[0].snapshots.some((each) => each.name === name));
  const [first] = without;
  if (first === undefined) return;
  if (without.length === disks.length) throw unknownSnapshot(source, name);
  throw new QemuError('QEMU_COMMAND_FAILED', `${first.key} of "${source.longName}" has no snapshot "${name}"`, {
    hint: `see: qemu-init disk list ${source.longName}`,
  });
}

/** They would be in the base from then on, where nothing finds them. */
async function refuseSnapshots(
  fleet: MachineManager,
  config: MachineConfig,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { key, layers } of await stoppedDisks(fleet.host, config, signal)) {
    const [first] = layers[0].snapshots;
    if (first === undefined) continue;
    throw new QemuError('QEMU_USAGE', `${key} has snapshots, such as "${first.name}", which a common base would hide`, {
      hint: 'delete them first, or leave out --linked',
    });
  }
}

function hasFile(path: string): boolean {
  try {
    return withImage(path, () => true);
  } catch {
    return false;
  }
}
