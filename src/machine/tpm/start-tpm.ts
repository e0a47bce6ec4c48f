import type { Duplex } from 'node:stream';
import type { MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { spawnConnected } from '../../system/process/connected-process.ts';
import { readProcess } from '../../system/process/process.ts';
import type { HelperProcess } from '../run/record.ts';
import type { RunAs } from '../start/run-as.ts';
import { ensureTpmFolder } from './tpm-folder.ts';

/** How swtpm is started. */
export interface TpmOptions {
  /** What is in front of its command line, so that it runs as the user and where QEMU does. */
  readonly prefix: readonly string[];
  readonly user: RunAs | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A TPM that waits for QEMU. */
export interface StartedTpm {
  readonly process: HelperProcess;
  /** To be handed to QEMU and then to be destroyed: swtpm ends with the QEMU that has it. */
  readonly socket: Duplex;
}

/** It takes 20 ms. */
const READY_MS = 10_000;

/**
 * The command line of swtpm(8), version 2.0. It works in its folder, whose path may have any characters, and the path
 * of a socket is none that others could connect to. Pure.
 */
const SWTPM_ARGV: readonly string[] = [
  'swtpm',
  'socket',
  '--tpm2',
  '--tpmstate',
  'dir=.,mode=0600',
  '--ctrl',
  'type=unixio,clientfd=3',
  '--terminate',
];

/**
 * Starts the TPM of a machine that has one. When no QEMU comes, clean-up has to end it.
 *
 * @throws {QemuError} `QEMU_LAUNCH_FAILED` when it ends or is not ready in time, `QEMU_NOT_INSTALLED`, `QEMU_ABORTED`,
 * `QEMU_NOT_PERMITTED`, `QEMU_IO`.
 */
export async function startTpm(
  { tpm }: Pick<MachineConfig, 'tpm'>,
  files: MachinePaths,
  { prefix, user, signal }: TpmOptions,
): Promise<StartedTpm | undefined> {
  if (!tpm) return undefined;
  ensureTpmFolder(files, user);
  const argv = [...prefix, ...SWTPM_ARGV];
  const limits = { timeoutMs: READY_MS, signal };
  const { pid, socket } = await spawnConnected(argv, { logPath: files.log, cwd: files.tpmDir, ...limits });
  const startTime = readProcess(pid)?.startTime ?? '';
  return { process: { key: 'TPM', program: 'swtpm', pid, startTime }, socket };
}
