import type { MachineRef } from '../../machine/context.ts';
import { readRecord } from '../../machine/run/record.ts';
import type { Paths } from '../../system/paths.ts';
import { moveIntoOwnUnit, reloadSystemd, systemctl, unitOf } from '../../system/services/systemd.ts';
import { userManagerOf } from '../../system/services/user-systemd.ts';
import { readAsked } from './asked.ts';
import { forgetCrashes, hasGivenUp } from './crashes.ts';
import { removeStartFailure, writeStartFailure } from './start-failure.ts';
import { stopTimeoutSeconds, UNIT_STOP_SECONDS } from './units/limits.ts';
import { unitName } from './units/unit-text.ts';

/** What a command inside the machine's own unit does in addition. */
export interface InsideUnit {
  /**
   * It succeeded: a QEMU that was started outside of the unit becomes its main process, and the unit's time to stop is
   * the machine's.
   */
  readonly started: (target: MachineRef, pid: number, signal: AbortSignal) => Promise<void>;
  /** Stores why it failed. */
  readonly failed: (error: unknown) => void;
  /** Has systemd not start the machine again. */
  readonly giveUp: () => Promise<void>;
}

/** Undefined when this process is not in the unit of the machine. */
export function insideUnit(paths: Paths, longName: string): InsideUnit | undefined {
  if (paths.scope === 'root') return undefined;
  const manager = userManagerOf(paths);
  const unit = unitName(longName);
  if (unitOf('self') !== unit) return undefined;
  return {
    started: async ({ shortName, files }, pid, signal) => {
      removeStartFailure(paths, longName);
      if (hasGivenUp(paths, longName)) forgetCrashes(paths, longName);
      if (unitOf(pid) !== unit) moveIntoOwnUnit(pid);
      // The generator knows a machine that is not registered, and was not asked for, only by its run.
      const isKnown = shortName !== undefined || readAsked(paths, longName).configPath !== undefined;
      const stop = isKnown ? undefined : readRecord(files)?.stop;
      if (stop && stopTimeoutSeconds(stop) > UNIT_STOP_SECONDS) await reloadSystemd({ signal, manager });
    },
    failed: (error) => writeStartFailure(paths, longName, error),
    giveUp: async () => {
      // The unit is being stopped; only an explicit stop keeps systemd from restarting it.
      await systemctl(['stop', '--no-block', '--quiet', '--job-mode=ignore-dependencies', unit], { manager });
    },
  };
}
