import { delay } from '../../base/abort.ts';
import type { MachineRef } from '../../machine/context.ts';
import { readMove, writeMove } from '../../machine/move/move-record.ts';
import { dropStaleLock } from '../../machine/run/run-lock.ts';
import { type Found, settle } from '../../machine/work/settle.ts';
import type { Machines } from '../machines.ts';
import { newTarget } from '../resolve.ts';
import type { Verdict } from './wire.ts';

/** What became of a move here, after what its source has decided. */
export interface SettledHere {
  readonly outcome: Found['outcome'];
  readonly detail: string | undefined;
}

const SETTLE_MS = 20_000;
const LOOK_MS = 50;

/**
 * Sets right what an interrupted move has left here, now that its source says who owns the guest. What is known of another
 * move is left alone.
 *
 * @throws {QemuError} as {@link settle}.
 */
export async function settleVerdict(
  machines: Machines,
  { name, id, says }: { readonly name: string; readonly id: string; readonly says: Verdict },
  signal: AbortSignal,
): Promise<SettledHere> {
  const { host } = machines;
  const registered = machines.list().find(({ longName }) => longName === name);
  const target: MachineRef = registered ?? newTarget(host.paths, name, undefined);
  const noted = readMove(target.files);
  if (noted !== undefined && noted !== 'damaged' && noted.role === 'destination' && noted.id === id) {
    writeMove(target.files, { ...noted, sourceSays: says });
  }
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const found = await settle(host, target, { timeoutMs: SETTLE_MS, cancel: true, signal });
    // The command that takes the guest in is about to find out that its line is lost.
    if (found.outcome === 'busy' && performance.now() < deadline) {
      await delay(LOOK_MS, signal);
      continue;
    }
    if (registered === undefined) await dropStaleLock(host, target);
    return { outcome: found.outcome, detail: 'detail' in found ? found.detail : undefined };
  }
}
