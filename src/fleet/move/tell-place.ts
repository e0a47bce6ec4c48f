import { QemuError } from '../../base/errors.ts';
import type { MachineContext } from '../../machine/context.ts';
import { RemoteEnd } from './remote-end.ts';
import { parseSshPlace } from './ssh-place.ts';
import type { Verdict } from './wire.ts';

/** For an answer that is on its way. */
const LEAST_MS = 100;

/**
 * Tells the other end of an interrupted move on another host what this one has decided, and has it act on that.
 *
 * @throws {QemuError} as {@link RemoteEnd.reach}; `QEMU_LOCKED` when it cannot yet.
 */
export async function tellPlace(
  { paths, notify }: Pick<MachineContext, 'paths' | 'notify'>,
  place: string,
  move: { readonly name: string; readonly id: string; readonly says: Verdict },
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const left = (): number => Math.max(LEAST_MS, deadline - performance.now());
  const end = await RemoteEnd.reach(parseSshPlace(place), { paths, notify, timeoutMs });
  try {
    const { outcome } = await end.ask({ do: 'settle', ...move }, { timeoutMs: left() });
    if (outcome === 'busy' || outcome === 'running') {
      throw new QemuError('QEMU_LOCKED', `Machine "${move.name}" is still busy at ${place}`);
    }
  } finally {
    await end.close(left());
  }
}
