import { spawn } from 'node:child_process';
import { withoutInherited } from './inherited.ts';
import { spawnError } from './spawn-error.ts';

/**
 * Runs a program on the terminal of this one, with its environment, and waits for it.
 *
 * @returns its exit status, 128 + n for a signal.
 * @throws {QemuError} `QEMU_NOT_INSTALLED`, `QEMU_NOT_PERMITTED`.
 */
export function runInteractive(file: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = withoutInherited(['inherit', 'inherit', 'inherit'], (stdio) => spawn(file, args, { stdio }));
    child.once('error', (error) => reject(spawnError(error, file, undefined)));
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : SIGNALLED)));
  });
}

/** What shells add to the number of a signal; which one it was does not matter here. */
const SIGNALLED = 128;
