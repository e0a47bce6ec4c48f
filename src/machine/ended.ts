import { cleanUp } from './clean-up.ts';
import { exclusively } from './exclusive.ts';
import type { Host, Target } from './host.ts';
import { locate } from './locate.ts';

/** Removes what a QEMU that is gone left behind. Of a machine that runs nothing is touched. */
export function tidyUp(host: Host, target: Target, signal: AbortSignal | undefined): Promise<void> {
  return exclusively(host, target, { purpose: 'ended', signal }, async () => {
    const located = locate(target.files);
    if (located.kind !== 'alive') await cleanUp(host, target, located.record?.slot);
  });
}
