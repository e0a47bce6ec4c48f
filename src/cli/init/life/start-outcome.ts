import type { StartResult } from '../../../machine/start/already-running.ts';
import type { Presentation } from '../../shared/many.ts';

/** How a start is shown. */
export const startOutcome: Presentation<StartResult> = {
  text: (name, { outcome, restored, pid, slot, monitorPort, vnc, seconds }) => {
    const facts = [
      `pid ${pid}`,
      slot === undefined ? undefined : `slot ${slot}`,
      monitorPort === undefined ? undefined : `monitor ${monitorPort}`,
      vnc === undefined ? undefined : `VNC ${vnc.display === undefined ? vnc.host : `${vnc.host}:${vnc.display}`}`,
    ].filter((fact) => fact !== undefined);
    const how = restored ? 'goes on from its saved state after' : 'started in';
    const done = outcome === 'started' ? `${how} ${seconds} s` : 'already running';
    return `${name}: ${done} (${facts.join(', ')})`;
  },
  same: ({ outcome }) => (outcome === 'started' ? undefined : 'already running'),
  json: ({ outcome, restored, pid, slot, monitorPort, controlPort, vnc, seconds }) => ({
    outcome,
    restored,
    pid,
    slot,
    monitorPort,
    controlPort,
    vnc: vnc === undefined ? undefined : { host: vnc.host, display: vnc.display, port: vnc.port },
    seconds,
  }),
  failed: (seconds) => ({
    outcome: 'failed',
    restored: undefined,
    pid: undefined,
    slot: undefined,
    monitorPort: undefined,
    controlPort: undefined,
    vnc: undefined,
    seconds,
  }),
};
