import { cleanUp } from './clean-up.ts';
import type { MachineEnd, ProcessExit } from './end.ts';
import { exclusively } from './exclusive.ts';
import type { Host, Target } from './host.ts';
import { locate } from './locate.ts';

/**
 * Removes what a QEMU that is gone left behind. Of a machine that runs nothing is touched. Returns how the run ended, when
 * nobody cleaned up before.
 */
export function tidyUp(
  host: Host,
  target: Target,
  exit: ProcessExit | undefined,
  signal: AbortSignal | undefined,
): Promise<MachineEnd | undefined> {
  return exclusively(host, target, { purpose: 'ended', signal }, async () => {
    const located = locate(target.files);
    return located.kind === 'alive' ? undefined : cleanUp(host, target, located.record?.slot, exit);
  });
}
