import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { asRecord, asText } from '../../base/guards.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';

/** States of `query-migrate` in which QEMU is at it. */
const AT_IT: ReadonlySet<string> = new Set([
  'setup',
  'active',
  'device',
  'pre-switchover',
  'postcopy-active',
  'cancelling',
  'wait-unplug',
]);

const LOOK_MS = 20;

/**
 * Has a QEMU that sends its state, or has sent it, give that up, and its guest be as it was. Not for one whose guest may
 * run elsewhere.
 *
 * @returns the state of the guest.
 * @throws {QemuError} `QEMU_TIMEOUT` when QEMU does not stop in time; as {@link QmpClient.execute}.
 */
export async function cancelSending(
  client: QmpClient,
  wasRunning: boolean,
  options: ExecuteOptions & { readonly timeoutMs: number },
): Promise<string> {
  const deadline = performance.now() + options.timeoutMs;
  if (AT_IT.has(await migrationStatus(client, options))) await client.executeRaw('migrate_cancel', undefined, options);
  while (AT_IT.has(await migrationStatus(client, options))) {
    if (performance.now() > deadline)
      throw new QemuError('QEMU_TIMEOUT', 'QEMU does not stop sending its state in time');
    await delay(LOOK_MS, options.signal);
  }
  // A later save would wait for a command that never comes.
  await client.executeRaw('migrate-set-capabilities', { capabilities: sendingCapabilities(false) }, options);
  const state = await stateOf(client, options);
  // Of a cancelled save QEMU itself lets the guest run again, unless it was stopped by a command.
  if (!wasRunning || (state !== 'paused' && state !== 'postmigrate')) return state;
  await client.executeRaw('cont', undefined, options);
  return stateOf(client, options);
}

async function migrationStatus(client: QmpClient, options: ExecuteOptions): Promise<string> {
  return asText(asRecord(await client.executeRaw('query-migrate', undefined, options))['status']);
}

async function stateOf(client: QmpClient, options: ExecuteOptions): Promise<string> {
  return asText(asRecord(await client.executeRaw('query-status', undefined, options))['status']);
}

/** What a move sets and a save does not. */
export function sendingCapabilities(
  state: boolean,
): readonly { readonly capability: string; readonly state: boolean }[] {
  return ['pause-before-switchover', 'auto-converge'].map((capability) => ({ capability, state }));
}
