import type { KeySpec } from './key-spec.ts';
import { MONITOR_VALUES, TLS_VALUES } from './values.ts';

/** Keys of `monitor.conf`. */
export const MONITOR_TABLE = [
  {
    name: 'MONPORT',
    group: 'Monitors',
    type: 'integer',
    default: '30320',
    min: 1,
    max: 65335,
    doc: 'first monitor port; slot n has MONPORT+n, and 100 more for its control port',
    details: ['From slot 100 on, each further hundred slots is 200 ports higher.'],
  },
  {
    name: 'MONITOR',
    group: 'Monitors',
    type: 'choice',
    default: 'tcp',
    values: MONITOR_VALUES,
    doc: 'tcp: monitor and control ports on 127.0.0.1 and ::1; off: only the socket that qemu-init itself uses',
  },
  {
    name: 'TLS',
    group: 'Monitors',
    type: 'choice',
    default: 'psk',
    values: TLS_VALUES,
    doc: "psk: both ports need the machine's key; off: any user and web page on this host can control the monitors",
  },
  {
    name: 'VNCDISPLAY',
    group: 'VNC',
    type: 'integer',
    default: '0',
    min: 0,
    max: 59635,
    doc: 'first VNC display; slot n has VNCDISPLAY+n, on TCP port 5900 plus that number',
  },
] as const satisfies readonly KeySpec[];
