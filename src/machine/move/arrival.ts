import { join } from 'node:path';
import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { asRecord, asText } from '../../base/guards.ts';
import { oneLine } from '../../base/text.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { queryState } from '../control/query-state.ts';

/** Where a QEMU listens that waits for a guest: only its own user may pass through the folder. */
export function moveSocket({ qemuDir }: Pick<MachinePaths, 'qemuDir'>): string {
  return join(qemuDir, 'move.sock');
}

const LOOK_MS = 5;

/**
 * Has a QEMU that was started for that wait for a guest.
 *
 * @param isToRun whether the guest will be let run.
 * @throws {QemuError} as {@link QmpClient.execute}.
 */
export async function awaitGuest(
  client: QmpClient,
  files: Pick<MachinePaths, 'qemuDir'>,
  isToRun: boolean,
  options: ExecuteOptions,
): Promise<void> {
  // The images stay the source's, locks included, until the guest runs here. One that stays paused would never have them,
  // and QEMU 7.2 aborts when such a one is sent on.
  const capabilities = [{ capability: 'late-block-activate', state: isToRun }];
  await client.executeRaw('migrate-set-capabilities', { capabilities }, options);
  await client.executeRaw('migrate-incoming', { uri: `unix:${moveSocket(files)}` }, options);
}

/**
 * Waits until all of the guest has arrived. It does not run.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when QEMU cannot take it; `QEMU_TIMEOUT`, `QEMU_QMP_CLOSED` …
 */
export async function untilArrived(
  client: QmpClient,
  options: ExecuteOptions & { readonly timeoutMs: number },
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const info = asRecord(await client.executeRaw('query-migrate', undefined, options));
    const status = asText(info['status']);
    const state = await queryState(client, options);
    if (status === 'completed' && state !== 'inmigrate') return;
    if (status === 'failed') {
      throw new QemuError(
        'QEMU_COMMAND_FAILED',
        `QEMU refused the guest: ${oneLine(asText(info['error-desc'])) || status}`,
      );
    }
    if (performance.now() > deadline) throw new QemuError('QEMU_TIMEOUT', 'QEMU did not take in the guest in time');
    await delay(LOOK_MS, options.signal);
  }
}

/**
 * Lets a guest that has arrived, and was released, go on. Safe to repeat.
 *
 * @returns its state.
 * @throws {QemuError} as {@link QmpClient.execute}; `QEMU_MACHINE_STATE` when it does not run then.
 */
export async function letGo(
  client: QmpClient,
  isToRun: boolean,
  options: ExecuteOptions & { readonly timeoutMs: number },
): Promise<string> {
  await untilArrived(client, options);
  const state = await queryState(client, options);
  // With late-block-activate it is `paused` until now, whatever the guest did at the source.
  if (!isToRun || state !== 'paused') return state;
  await client.executeRaw('cont', undefined, options);
  const after = await queryState(client, options);
  if (after === 'running') return after;
  throw new QemuError('QEMU_MACHINE_STATE', `The guest has arrived, but does not run: it is ${after}`);
}
