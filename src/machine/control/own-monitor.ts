import { delay } from '../../base/abort.ts';
import { isNotFound, QemuError } from '../../base/errors.ts';
import { QmpClient } from '../../qmp/client.ts';
import { withHeldSocket } from '../../system/files/held-socket.ts';
import type { MachinePaths } from '../../system/paths.ts';

/** Answers to what a start, a look and a stop send are short. A QEMU that sends more is broken or captured. */
export const SHORT_SESSION = { maxLineBytes: 64 * 1024, outOfBand: false } as const;

/** Pause before a socket that is not there yet is looked for again. */
const AGAIN_MS = 5;

/**
 * A connection to the machine's own socket, which is waited for. With RUNAS it is in a folder where QEMU's user could
 * put a link instead.
 *
 * @throws {QemuError} as {@link QmpClient.connect}; `QEMU_IO` when there is no socket in time.
 */
export async function connectOwn(files: MachinePaths, timeoutMs: number, signal?: AbortSignal): Promise<QmpClient> {
  const deadline = performance.now() + timeoutMs;
  const left = (): number => Math.max(1, deadline - performance.now());
  for (;;) {
    try {
      return await withHeldSocket(files.qmpSocket, (path) =>
        QmpClient.connect({ kind: 'unix', path }, { ...SHORT_SESSION, retry: true, timeoutMs: left(), signal }),
      );
    } catch (error) {
      const isMissing = error instanceof QemuError && isNotFound(error.cause);
      if (!isMissing || performance.now() >= deadline) throw error;
    }
    await delay(Math.min(AGAIN_MS, left()), signal);
  }
}
