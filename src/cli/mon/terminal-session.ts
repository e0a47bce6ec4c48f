import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { QemuError } from '../../errors.ts';
import type { Target } from '../../machine/host.ts';
import { type MonitorPorts, monitorPorts, portAddress } from '../../machine/monitor-access.ts';
import { openStream } from '../../qmp/transport.ts';
import type { Context } from '../context.ts';
import { INTERRUPTED } from '../exit-code.ts';
import { attach } from '../terminal.ts';

/** Joins the terminal to QEMU's own monitor on MONPORT, with QEMU's line editing. */
export async function runTerminal(context: Context, target: Target): Promise<number> {
  const { output, signal } = context;
  const ports = monitorPorts(target);
  if (ports.monitor === undefined) {
    throw new QemuError('QEMU_QMP_CONNECT', `Machine "${target.longName}" has no monitor port`, {
      hint: `use qemu-cmd, which does without: qemu-cmd -c "info status" ${target.longName}`,
    });
  }
  output.note('info', `Monitor of ${target.longName}. Leave with Ctrl-]; "quit" ends the machine.`);
  const stream = await openMonitor(target, ports, ports.monitor, signal);
  const why = await attach(stream, signal);
  output.note('info', why === 'closed' ? '\nThe machine hung up.' : '\nLeft the monitor.');
  return why === 'aborted' ? INTERRUPTED : 0;
}

/** A monitor that is free greets within milliseconds. */
const GREETING_MS = 1_500;

/**
 * The first of the two loopback addresses that greets. A monitor serves one client at a time and lets others wait in
 * silence.
 */
async function openMonitor(target: Target, ports: MonitorPorts, port: number, signal: AbortSignal): Promise<Duplex> {
  let failure: unknown;
  for (const host of ['127.0.0.1', '::1']) {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(GREETING_MS)]);
    let stream: Duplex | undefined;
    try {
      stream = await openStream(portAddress(target, ports, port, host), { retry: false, signal: deadline });
      await once(stream, 'readable', { signal: deadline });
      return stream;
    } catch (error) {
      stream?.destroy();
      if (signal.aborted) throw error;
      failure ??= error;
    }
  }
  throw new QemuError('QEMU_TIMEOUT', `The monitor port ${port} of "${target.longName}" does not answer`, {
    cause: failure,
    hint: 'somebody else holds it: a monitor serves one client at a time; qemu-cmd has a port of its own',
  });
}
