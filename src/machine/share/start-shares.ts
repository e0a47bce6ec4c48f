import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { QemuError } from '../../base/errors.ts';
import type { ShareConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { spawnConnected } from '../../system/process/connected-process.ts';
import { readProcess } from '../../system/process/process.ts';
import { virtiofsShares } from '../argv/host-devices/helper-fds.ts';
import type { HelperProcess } from '../run/record.ts';
import type { RunAs } from '../start/run-as.ts';
import { checkRoot } from './shared-folder.ts';
import { probeVirtiofsd, virtiofsdArgv, virtiofsdPath } from './virtiofsd.ts';

/** How it is started. */
export interface ShareOptions {
  /** What is in front of its command line, so that it runs as the machine's user and where QEMU does. */
  readonly prefix: readonly string[];
  readonly user: RunAs | undefined;
  readonly signal: AbortSignal | undefined;
  /** Called for each, as soon as it is there. */
  readonly onStart: (started: StartedShare) => void;
}

/** A virtiofsd that waits for QEMU. */
export interface StartedShare {
  readonly process: HelperProcess;
  /** To be handed to QEMU and then to be destroyed: virtiofsd ends with the QEMU that has it, or when none has. */
  readonly socket: Duplex;
}

/** It takes 10 ms. */
const READY_MS = 10_000;

/**
 * Starts a virtiofsd for each share that needs one.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED` without the program, `QEMU_LAUNCH_FAILED` when it ends or is not ready in
 * time, `QEMU_NOT_PERMITTED` when it shares another folder than the one that was found, `QEMU_ABORTED`.
 */
export async function startShares(config: MachineConfig, files: MachinePaths, options: ShareOptions): Promise<void> {
  const shares = virtiofsShares(config);
  const program = shares.length === 0 ? undefined : virtiofsdPath();
  if (program === undefined) return;
  const virtiofsd = await probeVirtiofsd(program);
  const isRoot = process.geteuid?.() === 0 && config.runAs === undefined;
  // As root of a user namespace that has no other user, the program may lock itself in, and has no more rights.
  const apart = isRoot ? [] : ['unshare', '--user', '--map-root-user', '--'];
  for (const share of shares) {
    const argv = [...options.prefix, ...apart, ...virtiofsdArgv(virtiofsd, share, !isRoot)];
    const started = await start(share, argv, files, options.signal);
    options.onStart(started);
    await checkRoot(config, share, options.user, started.process.pid);
  }
}

async function start(
  { index, path }: ShareConfig,
  argv: readonly string[],
  { log, dir }: MachinePaths,
  signal: AbortSignal | undefined,
): Promise<StartedShare> {
  const key = `SHARE${index}`;
  const listenAt = join(dir, `${key}.sock`);
  try {
    const { pid, socket } = await spawnConnected(argv, {
      logPath: log,
      cwd: '/',
      timeoutMs: READY_MS,
      signal,
      listenAt,
    });
    const startTime = readProcess(pid)?.startTime ?? '';
    return { process: { key, program: 'virtiofsd', pid, startTime }, socket };
  } catch (error) {
    if (!(error instanceof QemuError) || error.code !== 'QEMU_LAUNCH_FAILED') throw error;
    const said = error.cause instanceof Error ? error.cause.message : '';
    const hint = /unshare/.test(said)
      ? `user namespaces are not allowed here: set driver=9p in ${key}`
      : `may the user of the machine read "${path}"? or set driver=9p in ${key}`;
    throw new QemuError('QEMU_LAUNCH_FAILED', `Cannot share "${path}" (${key})`, { cause: error, hint });
  }
}
