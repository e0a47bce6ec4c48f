import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { QemuError } from '../../base/errors.ts';
import type { MachineRef } from '../../machine/context.ts';
import { portsOf } from '../../machine/control/control-port.ts';
import { openFirst, type Way } from '../../machine/control/first-way.ts';
import { LOOPBACK, type Ports, portAddress } from '../../machine/control/ways.ts';
import { openStream } from '../../qmp/transport.ts';
import { attach } from '../input/terminal.ts';
import type { Context } from '../run/context.ts';
import { INTERRUPTED } from '../run/exit-code.ts';

/** A free monitor sends its greeting within milliseconds. */
const GREETING_MS = 1_500;

/**
 * Connects the terminal to QEMU's own monitor on MONPORT, with QEMU's line editing. While other clients hold that port,
 * which any local user can do without the key, our own shell takes its place.
 */
export async function runTerminal(context: Context, target: MachineRef): Promise<number> {
  const { output, signal } = context;
  const ports = portsOf(target);
  const { monitorPort } = ports;
  if (monitorPort === undefined) {
    throw new QemuError('QEMU_QMP_CONNECT', `Machine "${target.longName}" has no monitor port`, {
      hint: `use qemu-cmd, which does not need one: qemu-cmd -c "info status" ${target.longName}`,
    });
  }
  let stream: Duplex;
  try {
    const ways = LOOPBACK.map((host) => monitorAt(target, ports, monitorPort, host));
    const opened = await openFirst(`machine "${target.longName}"`, ways, { timeoutMs: GREETING_MS, signal });
    stream = opened.value.stream;
  } catch (error) {
    if (!(error instanceof QemuError) || error.code !== 'QEMU_TIMEOUT') throw error;
    output.note(
      'warning',
      `Other clients use monitor port ${monitorPort} of ${target.longName}: continuing without it.`,
    );
    return (await import('./hmp-shell.ts')).runHmpShell(context, target, false);
  }
  output.note('info', `Monitor of ${target.longName}. Leave with Ctrl-]; "quit" ends QEMU.`);
  const why = await attach(stream, signal);
  output.note('info', why === 'closed' ? '\nThe machine closed the connection.' : '\nLeft the monitor.');
  return why === 'aborted' ? INTERRUPTED : 0;
}

interface OpenMonitor {
  readonly stream: Duplex;
  readonly close: () => Promise<void>;
}

/** Waits for the greeting: a monitor serves one client at a time and lets others wait silently. */
function monitorAt({ files }: MachineRef, ports: Ports, port: number, host: string): Way<OpenMonitor> {
  return {
    name: `monitor port ${port} of ${host}`,
    open: async (signal) => {
      const stream = await openStream(portAddress(files, ports, port, host), { retry: false, signal });
      try {
        await once(stream, 'readable', { signal });
        return { stream, close: async () => void stream.destroy() };
      } catch (error) {
        stream.destroy();
        throw error;
      }
    },
  };
}
