import { asArray, asNumber, asRecord, asText } from '../base/guards.ts';

/**
 * One virtual processor (`query-cpus-fast`). Whether it is halted and its program counter, which go-qemu reports, are
 * not available: QEMU removed `query-cpus` in 6.0, because it interrupted the guest. See `info registers` of the human
 * monitor.
 */
export interface Cpu {
  readonly index: number;
  /** Thread of the host that runs it. */
  readonly threadId: number;
  readonly qomPath: string;
  /** Architecture, such as `x86_64`. */
  readonly target: string;
  /** Its place in the topology, such as `{socket-id: 0, core-id: 1}`. */
  readonly props: Readonly<Record<string, unknown>>;
}

/** Reads the answer to `query-cpus-fast`. */
export function parseCpus(answer: unknown): Cpu[] {
  return asArray(answer).map((each) => {
    const cpu = asRecord(each);
    return {
      index: asNumber(cpu['cpu-index']),
      threadId: asNumber(cpu['thread-id']),
      qomPath: asText(cpu['qom-path']),
      target: asText(cpu['target']),
      props: asRecord(cpu['props']),
    };
  });
}
