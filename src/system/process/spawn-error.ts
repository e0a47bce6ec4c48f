import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, QemuError } from '../../base/errors.ts';
import { scriptProblem } from '../trust/script.ts';
import { findProgram } from './find-program.ts';

/**
 * The error of a program that could not be started: `QEMU_NOT_INSTALLED` when there is no such program or a script's
 * interpreter is missing, `QEMU_COMMAND_FAILED` for a script with the line ends of Windows, `QEMU_NOT_PERMITTED` when
 * it may not be run, `QEMU_IO` when the folder to run it in is missing, else `QEMU_LAUNCH_FAILED`.
 */
export function spawnError(cause: unknown, program: string, cwd?: string): QemuError {
  switch (errorCode(cause)) {
    case 'ENOENT':
      // Node reports ENOENT for the program also when the folder is missing.
      if (cwd !== undefined && !existsSync(cwd)) {
        return new QemuError('QEMU_IO', `Cannot run "${program}" in "${cwd}"`, { hint: 'that folder does not exist' });
      }
      return scriptError(program) ?? notInstalled(program);
    case 'EACCES':
    case 'EPERM':
      // execvp(3) reports this too when a folder of PATH is closed to this user and no other has the program.
      if (!isThere(program)) return notInstalled(program);
      return new QemuError('QEMU_NOT_PERMITTED', `Cannot run "${program}"`, {
        cause,
        hint: 'the file is not executable, or a folder above it is closed to this user',
      });
    default:
      return new QemuError('QEMU_LAUNCH_FAILED', `Cannot run "${program}"`, { cause });
  }
}

/** The kernel reports the same for a script whose interpreter is missing. */
function scriptError(program: string): QemuError | undefined {
  const path = findProgram(program);
  const found = path === undefined ? undefined : scriptProblem(path);
  if (found === undefined) return undefined;
  const code = found.isMissing ? 'QEMU_NOT_INSTALLED' : 'QEMU_COMMAND_FAILED';
  return new QemuError(code, `Cannot run "${program}": it ${found.problem}`, { hint: found.hint });
}

function notInstalled(program: string): QemuError {
  return new QemuError('QEMU_NOT_INSTALLED', `Cannot find the program "${program}"`);
}

function isThere(program: string): boolean {
  if (program.includes('/')) return true;
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}
