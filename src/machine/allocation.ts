import type { MonitorConfig } from '../config/monitor-config.ts';

/** First TCP port of VNC: display 0 (RFC 6143 names 5900). */
export const VNC_BASE_PORT = 5900;

const LAST_PORT = 65535;

/** What a running machine has been given. */
export interface Allocation {
  /** Undefined: none was left, and only the machine's own socket serves. */
  readonly slot: number | undefined;
  /** Undefined without a slot and with MONITOR=off. */
  readonly monitorPort: number | undefined;
  readonly controlPort: number | undefined;
  /** Display of a machine whose VNC= names none; undefined without a slot. */
  readonly vncDisplay: number | undefined;
}

export const NO_SLOT: Allocation = {
  slot: undefined,
  monitorPort: undefined,
  controlPort: undefined,
  vncDisplay: undefined,
};

/**
 * The ports of a slot. MONPORT goes up in blocks of 100 that leave room for the block of CTLPORTs, so that CTLPORT is
 * always MONPORT+100 and nothing overlaps past 100 machines.
 *
 * @returns undefined when the slot lies past the last port.
 */
export function allocationOf(slot: number, monitor: MonitorConfig): Allocation | undefined {
  const monitorPort = monitor.monitorPort + 200 * Math.floor(slot / 100) + (slot % 100);
  const controlPort = monitorPort + 100;
  const vncDisplay = monitor.vncDisplay + slot;
  if (controlPort > LAST_PORT || vncDisplay + VNC_BASE_PORT > LAST_PORT) return undefined;
  const withMonitor = monitor.monitor === 'tcp';
  return {
    slot,
    monitorPort: withMonitor ? monitorPort : undefined,
    controlPort: withMonitor ? controlPort : undefined,
    vncDisplay,
  };
}
