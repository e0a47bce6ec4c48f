import { findProgram } from './find-program.ts';

/**
 * The command line that ends a program after that many seconds even when this process is killed first: timeout(1) goes
 * in front. Without that tool the program runs as it is.
 */
export function withTimeoutCommand(argv: readonly string[], seconds: number): readonly [string, ...string[]] {
  const [program = '', ...args] = argv;
  const timeout = findProgram('timeout');
  return timeout === undefined ? [program, ...args] : [timeout, '-s', 'KILL', String(seconds), program, ...args];
}
