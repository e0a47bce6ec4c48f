import type { MachineRef } from '../context.ts';
import { locate } from '../run/locate.ts';
import type { RecordedVnc, RunRecord } from '../run/record.ts';

/** What became of a start. */
export interface StartResult {
  readonly outcome: 'started' | 'already-running';
  /** Whether the guest goes on from its saved state. */
  readonly restored: boolean;
  readonly pid: number;
  readonly slot: number | undefined;
  readonly monitorPort: number | undefined;
  readonly controlPort: number | undefined;
  readonly vnc: RecordedVnc | undefined;
  readonly seconds: number;
}

/**
 * What a start of a machine that runs already says; undefined when it does not run. Its file may be broken meanwhile.
 */
export function alreadyRunning(target: MachineRef): StartResult | undefined {
  const located = locate(target.files);
  if (located.kind !== 'alive') return undefined;
  const facts = startFacts(located.process.pid, located.record);
  return { outcome: 'already-running', restored: false, ...facts, seconds: 0 };
}

/** What there is to say of a QEMU that runs. */
export function startFacts(
  pid: number,
  record: RunRecord | undefined,
): Omit<StartResult, 'outcome' | 'restored' | 'seconds'> {
  return {
    pid,
    slot: record?.slot,
    monitorPort: record?.monitorPort,
    controlPort: record?.controlPort,
    vnc: record?.vnc,
  };
}
