import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { readTextIfExists } from '../files/files.ts';
import { removeWhole } from '../files/remove-tree.ts';
import { type ExecResult, run, withTimeoutCommand } from '../process/exec.ts';
import { trustPath } from '../trust/trusted-path.ts';
import { probeRom, ROM_DONE, ROM_ENTERED } from './kvm-probe-rom.ts';

/** Whether QEMU can run a machine with KVM here. */
export interface KvmVerdict {
  readonly usable: boolean;
  /** Why not, as a clause; empty when it is usable. */
  readonly reason: string;
}

/** A verdict with the wall-clock time until which it is valid; without one it is valid until something changes. */
export interface PassingVerdict extends KvmVerdict {
  readonly expiresAt?: number | undefined;
}

/** How long a verdict is kept when a busy host may be the cause. */
export const DOUBTFUL_FOR_MS = 600_000;

/**
 * Runs a guest under KVM. For x86 it is a tiny firmware (see {@link probeRom}) with `-cpu host`, which must finish
 * within 1.5 s (a tenth of that is plenty). For other targets QEMU only has to create an empty machine (`-machine
 * none`) with KVM: that needs a host of the same architecture but does not run a guest.
 *
 * @throws {QemuError} `QEMU_ABORTED`
 */
export async function runGuest(binary: string, signal: AbortSignal | undefined): Promise<PassingVerdict> {
  let folder: string;
  const prefix = join(tmpdir(), 'kvm-probe-');
  try {
    trustPath(prefix);
  } catch {
    // Who can exchange the folder decides where the files in it are written.
    return doubtful(`others could exchange the test guest in "${tmpdir()}"`);
  }
  try {
    folder = mkdtempSync(prefix);
  } catch {
    return doubtful(`the test guest cannot be written to "${tmpdir()}"`);
  }
  try {
    writeFileSync(join(folder, ROM_FILE), probeRom());
    const [program, ...args] = withTimeoutCommand([binary, ...probeArgs(binary)], LEASH_SECONDS);
    const limits = { timeoutMs: DEADLINE_MS, signal, input: QUIT, cwd: folder };
    const result = await run(program, args, limits).catch(ignoreTimeout);
    return check(binary, result, readTextIfExists(join(folder, SERIAL_FILE)) ?? '');
  } finally {
    removeWhole(folder);
  }
}

const DEADLINE_MS = 1_500;
/** In case this process is killed meanwhile. */
const LEASH_SECONDS = 3;

const ROM_FILE = 'rom';
const SERIAL_FILE = 'serial';

/** QMP commands that end an empty machine; an x86 guest ends by itself and gets no monitor. */
const QUIT = '{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n';

/** The machine type is left to the default, which every x86 binary has and which suffices here. */
function probeArgs(binary: string): string[] {
  const common = ['-no-user-config', '-nodefaults', '-display', 'none', '-accel', 'kvm'];
  if (!isX86(binary)) return [...common, '-machine', 'none', '-qmp', 'stdio'];
  return [...common, '-cpu', 'host', '-m', '16', '-bios', ROM_FILE, '-serial', `file:${SERIAL_FILE}`, '-no-reboot'];
}

/** Names without a target, such as `qemu-kvm`, mean the host's architecture. */
function isX86(binary: string): boolean {
  const target = /qemu-system-([a-z0-9_]+)/.exec(basename(binary))?.[1];
  return target === undefined ? process.arch === 'x64' || process.arch === 'ia32' : /^(x86_64|i386)$/.test(target);
}

function ignoreTimeout(error: unknown): undefined {
  if (error instanceof QemuError && error.code === 'QEMU_TIMEOUT') return undefined;
  throw error;
}

/** @param result Undefined when QEMU did not end in time. */
function check(binary: string, result: ExecResult | undefined, serial: string): PassingVerdict {
  const hasFinished = !isX86(binary) || serial === ROM_ENTERED + ROM_DONE;
  if (result?.exitCode === 0 && hasFinished) return { usable: true, reason: '' };
  if (result === undefined) return doubtful(serial.startsWith(ROM_ENTERED) ? CRAWLS : STANDS_STILL);
  return { usable: false, reason: firstComplaint(result.stderr) ?? 'QEMU ended without running the guest' };
}

const CRAWLS = 'the guest starts but runs far too slowly';
const STANDS_STILL = 'the guest does not run';

function doubtful(reason: string): PassingVerdict {
  return { usable: false, reason, expiresAt: Date.now() + DOUBTFUL_FOR_MS };
}

/** QEMU's first message that is not a warning, without the leading program name. */
function firstComplaint(stderr: string): string | undefined {
  const lines = stderr.split('\n').map((line) => line.replace(/^\S*qemu\S*: (?:error: )?/, '').trim());
  return lines.find((line) => line !== '' && !line.startsWith('warning:'));
}
