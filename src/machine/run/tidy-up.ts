import type { MachineContext, MachineRef } from '../context.ts';
import { runHook } from '../hooks.ts';
import { cleanUp } from './clean-up.ts';
import type { MachineEnd, ProcessExit } from './last-run.ts';
import { locate } from './locate.ts';
import { exclusively } from './run-lock.ts';
import type { StopSettings } from './stop-settings.ts';

/**
 * Removes what a QEMU that is gone left behind. Of a machine that runs nothing is touched. Returns how the run ended,
 * when no earlier command cleaned up: then POSTSTOP runs here, since no stop will.
 */
export function tidyUp(
  host: MachineContext,
  target: MachineRef,
  exit: ProcessExit | undefined,
  signal: AbortSignal | undefined,
): Promise<MachineEnd | undefined> {
  return exclusively(host, target, { purpose: 'ended', signal }, async () => {
    const located = locate(target.files);
    if (located.kind === 'alive') return undefined;
    const end = await cleanUp(host, target, located, { exit });
    const settings = located.record?.stop;
    if (end && settings) await runPostStop(host, target, settings, signal);
    return end;
  });
}

/** A hook that fails makes no difference here. */
async function runPostStop(
  host: MachineContext,
  target: MachineRef,
  { postStop, dir }: StopSettings,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await runHook(host, target, 'POSTSTOP', postStop, { cwd: dir, reason: 'ended', signal });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}
