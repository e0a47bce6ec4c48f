import { endsWithin } from '../../base/abort.ts';
import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { Domain } from '../../domain/domain.ts';
import { QmpClient } from '../../qmp/client.ts';
import { ensureDir, removeIfExists } from '../../system/files/files.ts';
import { readTail } from '../../system/files/log/log-file.ts';
import { type Child, spawnChild } from '../../system/process/child.ts';
import { findProgram } from '../../system/process/find-program.ts';
import { giveSecrets, letPass } from '../../system/secrets.ts';
import type { ImageNode } from '../argv/description.ts';
import { diskNodeParts } from '../argv/disks.ts';
import { renderCalls } from '../argv/render/qmp.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { removeEmptyFolder } from '../run/clean-up.ts';
import { launchError } from '../start/launch-error.ts';
import { type RunAs, resolveRunAs } from '../start/run-as.ts';
import { removeKeys, writeKeys } from '../storage/image-keys.ts';
import { findImages } from '../storage/images.ts';
import { daemonArgv, MONITOR_FD } from './daemon-argv.ts';

/** A process that has the disks of a machine that does not run, as QEMU would have them. */
export interface StorageDaemon {
  /** Its disks are the nodes `dsk1-fmt` …, as in a machine that runs. */
  readonly domain: Domain;
  readonly pid: number;
}

/** How to use one. */
export interface StorageDaemonOptions {
  readonly signal?: AbortSignal | undefined;
  /** The disks that it opens, by their numbers (default: all). */
  readonly disks?: readonly number[] | undefined;
}

const READY_MS = 10_000;
/** Opening an image of terabytes reads its tables. */
const OPEN_MS = 60_000;
const QUIT_MS = 30_000;
const KILL_MS = 60_000;
const LOG_BYTES = 64 * 1024;

/**
 * Does something with the disks of a machine that does not run, over the QMP of qemu-storage-daemon(1), which runs as
 * the machine's user, with limits and without a network. It has ended when this returns; when this process is killed it
 * closes the images and ends, too. The caller sees to it that no start comes in between.
 *
 * @throws {ConfigError} when an image cannot be used.
 * @throws {QemuError} `QEMU_NOT_INSTALLED` without the program, `QEMU_LAUNCH_FAILED`, `QEMU_QMP_REFUSED` when it cannot
 * open an image, `QEMU_ABORTED`, and what `work` throws.
 */
export async function withStorageDaemon<T>(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  options: StorageDaemonOptions,
  work: (daemon: StorageDaemon) => Promise<T>,
): Promise<T> {
  const disks = config.disks.filter(({ index }) => options.disks?.includes(index) ?? true);
  const images = imagesOf(host, { ...config, disks });
  const user = await resolveRunAs(config);
  ensureDir(host.paths.runDir, 0o711);
  ensureDir(target.files.dir, 0o700);
  const logPath = target.files.daemonLog;
  try {
    const running = await launch(logPath, options.signal, (has) =>
      daemonArgv({ user, isRoot: process.getuid?.() === 0, has, images: images.length }),
    );
    try {
      const domain = new Domain(running.client, target.longName);
      await openDisks(domain, target, { ...config, disks }, images, user, options.signal);
      return await work({ domain, pid: running.child.pid });
    } finally {
      await end(running);
    }
  } finally {
    removeIfExists(logPath);
    removeEmptyFolder(target.files);
  }
}

async function openDisks(
  domain: Domain,
  { files }: MachineRef,
  config: MachineConfig,
  images: readonly ImageNode[],
  user: RunAs | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    writeKeys(config, files);
    if (user && config.disks.some(({ key }) => key !== undefined)) {
      letPass(files.dir, user.gid);
      giveSecrets(files.keysDir, user);
    }
    for (const call of renderCalls(diskNodeParts(config.disks, images, files.keysDir))) {
      await domain.run(call.command, { ...call.arguments }, { timeoutMs: OPEN_MS, signal });
    }
  } finally {
    removeKeys(files);
  }
}

function imagesOf(host: MachineContext, config: MachineConfig): ImageNode[] {
  const { disks, issues } = findImages(host.paths, { ...config, cdroms: [] });
  const problems = [...issues, ...host.storageInUse(config)];
  if (problems.some(({ severity }) => severity === 'error')) {
    throw new ConfigError(`Cannot use the disks of "${config.path}"`, problems);
  }
  return disks.map(({ image }) => image);
}

interface Running {
  readonly child: Child;
  readonly client: QmpClient;
}

/** Not every host and container lets us take the network away: it is tried again with it. */
async function launch(
  logPath: string,
  signal: AbortSignal | undefined,
  argvWith: (has: (program: string) => boolean) => string[],
): Promise<Running> {
  if (findProgram('qemu-storage-daemon') === undefined) {
    throw new QemuError('QEMU_NOT_INSTALLED', 'There is no program "qemu-storage-daemon"', {
      hint: 'install it (Debian: qemu-system-common), or start the machine first',
    });
  }
  const has = (program: string): boolean => findProgram(program) !== undefined;
  try {
    return await start(argvWith(has), logPath, signal);
  } catch (error) {
    const isRefused = error instanceof QemuError && /(^|\W)unshare: /.test(error.message);
    if (!isRefused) throw error;
    return start(
      argvWith((program) => program !== 'unshare' && has(program)),
      logPath,
      signal,
    );
  }
}

async function start(argv: readonly string[], logPath: string, signal: AbortSignal | undefined): Promise<Running> {
  removeIfExists(logPath);
  const child = await spawnChild(argv, { logPath, cwd: '/', descriptors: ['socket'] });
  const client = new QmpClient();
  try {
    const stream = child.socket(MONITOR_FD);
    if (!stream) throw new QemuError('QEMU_LAUNCH_FAILED', 'Cannot connect to "qemu-storage-daemon"');
    await client.open({ kind: 'stream', stream }, { timeoutMs: READY_MS, signal });
    return { child, client };
  } catch (cause) {
    const hasEnded = await endsWithin(child.exited, { timeoutMs: 1_000 });
    child.kill('SIGKILL');
    const ended = await child.exited;
    const output = readTail(logPath, 0, LOG_BYTES);
    removeIfExists(logPath);
    if (signal?.aborted) throw cause;
    const end = hasEnded ? ended : undefined;
    throw launchError({ argv, binary: 'qemu-storage-daemon', timeoutMs: READY_MS, end, output, cause });
  }
}

/** By `quit`, which closes the images and keeps their bitmaps. */
async function end({ child, client }: Running): Promise<void> {
  try {
    await client.executeRaw('quit', undefined, { timeoutMs: QUIT_MS });
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
  }
  await client.close();
  if (await endsWithin(child.exited, { timeoutMs: QUIT_MS })) return;
  child.kill('SIGKILL');
  await endsWithin(child.exited, { timeoutMs: KILL_MS });
}
