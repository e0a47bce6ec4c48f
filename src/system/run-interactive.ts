import { spawn } from 'node:child_process';
import { spawnError } from './spawn-error.ts';

/**
 * Runs a program on the terminal of this one and waits for it.
 *
 * @returns its exit status, 128 + n for a signal.
 * @throws {QemuError} `QEMU_NOT_INSTALLED`, `QEMU_NOT_PERMITTED`.
 */
export function runInteractive(file: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit' });
    child.once('error', (error) => reject(spawnError(error, file, undefined)));
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : SIGNALLED)));
  });
}

/** What shells add to the number of a signal; which one it was does not matter here. */
const SIGNALLED = 128;
