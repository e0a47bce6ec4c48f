import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import { fileError } from '../../system/files/file-error.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import { leaveQemu } from '../backup/backup-work.ts';
import { variablesTarget } from '../backup/other-files.ts';
import { partFolder } from '../backup/part-folder.ts';
import { newPointName } from '../backup/point-folder.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { whileQuiet } from '../quiesce/quiesce.ts';
import { doWork } from '../work/do-work.ts';
import { type DiskAccess, withDiskAccess } from './access.ts';
import { unmount } from './bind-mount.ts';
import { finishWriting } from './finish-writing.ts';
import { followJobs } from './follow.ts';
import { type Copying, openTargets } from './open-targets.ts';
import { readSources } from './source-disk.ts';
import { makeTargets } from './target-files.ts';
import { copyJob, type Target, transactionOf } from './transaction.ts';

/** What is to be copied. */
export interface RunningCopy extends LongWorkOptions {
  /** What it is for, for other commands: `a clone to "db"`. */
  readonly what: string;
  /** `DSK1` and so on. */
  readonly keys: readonly string[];
  /** Where the copies are made. */
  readonly dir: string;
}

/** Files that were made, by key; `vars`: the variables of the firmware. They are to be moved away. */
export type Copied = ReadonlyMap<string, string>;

const ANSWER_MS = 30_000;

/**
 * Copies disks of a machine that runs as of one instant, by jobs inside its QEMU, with the file systems of its guest
 * frozen at that instant if its agent answers. An interrupted copy is undone as that of a backup is.
 *
 * @param take copies or moves the files away.
 * @throws {QemuError} `QEMU_LOCKED`, `QEMU_COMMAND_FAILED`, `QEMU_NOT_RUNNING`, `QEMU_IO`, `QEMU_ABORTED`.
 */
export function copyRunning(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  copy: RunningCopy,
  take: (copied: Copied, quiesced: boolean) => Promise<void>,
): Promise<void> {
  const { what, signal } = copy;
  return doWork(
    host,
    target,
    { kind: 'copy', what },
    (work) =>
      withDiskAccess(host, target, config, signal, (access) =>
        copyAll({ host, target, work, access }, config, copy, take),
      ),
    signal,
  );
}

async function copyAll(
  copying: Copying,
  config: MachineConfig,
  { keys, dir, signal, onProgress = () => {} }: RunningCopy,
  take: (copied: Copied, quiesced: boolean) => Promise<void>,
): Promise<void> {
  const { host, target, work, access } = copying;
  const targets = await findTargets(access, config, keys);
  const point = newPointName(dir);
  const chain = `${point}-${randomBytes(4).toString('hex')}`;
  const part = partFolder(dir, point);
  const jobs = targets.map((each) => copyJob(each, chain));
  const ids = targets.map(({ id }) => id);
  work.note({ jobs, data: { folder: dir, point, targets: ids, bitmaps: [] } });
  makeFolder(dir, part, access);
  await makeTargets(part, targets, access.user, signal);
  const mount = await openTargets(copying, part, targets);
  const { quiesced } = await access.visit((domain) =>
    whileQuiet(host, target, { quiesce: 'auto', client: domain.client, signal }, () =>
      domain.run('transaction', transactionOf(targets, chain, { compress: false, waitForSpace: false }), {
        timeoutMs: ANSWER_MS,
      }),
    ),
  );
  const names = new Map(targets.map((each) => [copyJob(each, chain), each.id.toUpperCase()]));
  const machine = access.isRunning ? { host, target } : undefined;
  const follow = { jobs: names, folder: part, waitForSpace: false, onProgress, onFull: () => {}, machine, signal };
  await followJobs(access.visit, follow);
  for (const each of targets) await finishWriting(access.visit, each, follow);
  await access.visit((domain) => leaveQemu(domain, jobs, { targets: ids, bitmaps: [] }));
  if (mount !== undefined) await unmount(mount);
  await take(
    new Map(targets.map(({ id, file }) => [id === 'vars' ? id : id.toUpperCase(), join(part, file)])),
    quiesced,
  );
  removeTree(part);
}

async function findTargets(access: DiskAccess, config: MachineConfig, keys: readonly string[]): Promise<Target[]> {
  const options = { timeoutMs: ANSWER_MS };
  const sources = await access.visit((domain) => readSources(domain, config.disks, access.isRunning, options));
  const disks = keys.map((key): Target => {
    const source = sources.find((each) => each.key === key);
    if (source === undefined) {
      throw new QemuError('QEMU_DEVICE_UNKNOWN', `The running machine has no disk ${key}`, {
        hint: 'its file has changed since its start: qemu-init diff shows how',
      });
    }
    const id = key.toLowerCase();
    return { id, source: source.node, file: `${id}.qcow2`, format: 'qcow2', sizeBytes: source.sizeBytes };
  });
  const variables = access.isRunning ? await access.visit((domain) => variablesTarget(domain, options)) : undefined;
  return variables === undefined ? disks : [...disks, variables];
}

function makeFolder(dir: string, part: string, { user }: DiskAccess): void {
  try {
    // QEMU's user passes, and sees no names.
    if (user !== undefined) chmodSync(dir, statSync(dir).mode | 0o011);
    mkdirSync(part, { mode: user === undefined ? 0o700 : 0o711 });
  } catch (error) {
    throw fileError('make folder', part, error);
  }
}
