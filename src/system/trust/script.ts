import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { findProgram } from '../process/find-program.ts';

/** Why the kernel cannot run a script, and what to do about it. */
export interface ScriptProblem {
  /** A clause: `has a first line that …`. */
  readonly problem: string;
  readonly hint: string;
  /** The interpreter is missing; else the file itself is wrong. */
  readonly isMissing: boolean;
}

/** Bytes of the first line that Linux reads (BINPRM_BUF_SIZE). */
const FIRST_LINE_BYTES = 256;

/**
 * Why the interpreter of a script cannot be run: its "#!" line was saved with the line ends of Windows, or names a
 * program that does not exist. The kernel reports both as if the script itself were missing. Undefined for a script
 * without such a fault, for any other file, and for one that cannot be read.
 */
export function scriptProblem(path: string): ScriptProblem | undefined {
  const first = readFirstLine(path);
  const [, interpreter = ''] = /^#![ \t]*([^ \t\r]*)/.exec(first) ?? [];
  if (interpreter === '') return undefined;
  if (first.endsWith('\r')) {
    return {
      problem: 'has the line ends of Windows (CR LF), so that the interpreter of its "#!" line is not found',
      hint: "remove the carriage returns: sed -i 's/\\r$//' FILE",
      isMissing: false,
    };
  }
  if (existsSync(interpreter)) return undefined;
  return {
    problem: `needs the interpreter "${interpreter}" of its "#!" line, which does not exist`,
    hint: `install "${interpreter}", or correct that line`,
    isMissing: true,
  };
}

/** The program that the kernel runs for a script, with that of env(1) found in PATH; undefined for any other file. */
export function scriptInterpreter(path: string): string | undefined {
  const [, interpreter, rest = ''] = /^#![ \t]*([^ \t\r]+)[ \t]*(.*)/.exec(readFirstLine(path)) ?? [];
  if (interpreter === undefined || basename(interpreter) !== 'env') return interpreter;
  // What comes before it are options and variables: `env -S VAR=1 python3 -u`.
  const name = rest.split(/[ \t\r]+/).find((word) => word !== '' && !word.startsWith('-') && !word.includes('='));
  return name === undefined ? interpreter : (findProgram(name) ?? interpreter);
}

function readFirstLine(path: string): string {
  let file: number;
  try {
    // Do not wait for a FIFO.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return '';
  }
  try {
    if (!fstatSync(file).isFile()) return '';
    const start = Buffer.alloc(FIRST_LINE_BYTES);
    const length = readSync(file, start, 0, FIRST_LINE_BYTES, 0);
    return start.toString('utf8', 0, length).split('\n', 1)[0] ?? '';
  } catch {
    return '';
  } finally {
    closeSync(file);
  }
}
