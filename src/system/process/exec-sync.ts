import { spawnSync } from 'node:child_process';
import { QemuError } from '../../base/errors.ts';
import { childEnvironment } from './environment.ts';
import { withoutInherited } from './inherited.ts';
import { spawnError } from './spawn-error.ts';

/** What a program printed and how it ended. */
export interface SyncResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
}

/**
 * Runs a program, without a shell, to its end, and blocks meanwhile: for short tools that must start as fast as
 * possible. A status other than 0 is not an error. `env` is in addition to {@link childEnvironment}.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when there is no such program, `QEMU_NOT_PERMITTED` when it may not be run,
 * `QEMU_TIMEOUT` after having killed it.
 */
export function runSync(
  file: string,
  args: readonly string[],
  options: { readonly input: string; readonly env: NodeJS.ProcessEnv; readonly timeoutMs: number },
): SyncResult {
  const { input, env, timeoutMs } = options;
  const result = withoutInherited(['pipe', 'pipe', 'pipe'], (stdio) =>
    spawnSync(file, args, {
      input,
      env: childEnvironment(env),
      stdio,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      encoding: 'utf8',
    }),
  );
  if (result.error === undefined) {
    return { stdout: result.stdout, stderr: result.stderr, exitCode: result.status ?? undefined };
  }
  if ('code' in result.error && result.error.code === 'ETIMEDOUT') {
    throw new QemuError('QEMU_TIMEOUT', `Program "${file}" did not end within ${timeoutMs / 1000} s`);
  }
  throw spawnError(result.error, file, undefined);
}
