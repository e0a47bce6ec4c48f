import { QemuError } from '../errors.ts';
import { QmpClient } from '../qmp/client.ts';
import type { QmpAddress } from '../qmp/state.ts';
import { delay } from '../system/delay.ts';
import { withLock } from '../system/lock.ts';
import { removeEmptyFolder } from './clean-up.ts';
import { lockedIfPossible } from './exclusive.ts';
import { type Host, notRunning, type Target } from './host.ts';
import { locate } from './locate.ts';
import { connectOwn } from './own-monitor.ts';
import { readPsk } from './tls.ts';

/** Where people and programs reach a running machine. */
export interface MonitorPorts {
  /** MONPORT; undefined when only the machine's own socket serves. */
  readonly monitor: number | undefined;
  readonly control: number | undefined;
  readonly tls: boolean;
}

/**
 * The ports of a running machine.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`
 */
export function monitorPorts(target: Target): MonitorPorts {
  const located = locate(target.files);
  if (located.kind !== 'alive') throw notRunning(target);
  const { record } = located;
  return { monitor: record?.monitorPort, control: record?.controlPort, tls: record?.tls ?? false };
}

/** The address of a port on one of the loopback addresses, with the key when it needs one. */
export function portAddress(target: Target, ports: MonitorPorts, port: number, host: string): QmpAddress {
  return { kind: 'tcp', host, port, ...(ports.tls ? { psk: readPsk(target.files) } : {}) };
}

/** A monitor that is free greets within milliseconds; past this the other address is tried. */
const GREETING_MS = 1_500;
/** Pause before both addresses are tried again. */
const AGAIN_MS = 50;

/**
 * Does something on a QMP connection to the control port. Commands on one machine wait for each other, since a monitor
 * serves one client at a time; when somebody else holds the port on 127.0.0.1 the one on ::1 is tried. A machine without
 * ports is reached by its own socket.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT` when the port stays busy, and what `work` throws.
 */
export async function withControl<T>(
  _host: Host,
  target: Target,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  work: (client: QmpClient) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  const left = (): number => Math.max(1, deadline - performance.now());
  const ports = monitorPorts(target);
  const lockOptions = { timeoutMs: options.timeoutMs, signal: options.signal, purpose: 'qemu-cmd' };
  const body = async (): Promise<T> => {
    const client = await connectControl(target, ports, left, options.signal);
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  };
  try {
    return await lockedIfPossible((locked) => withLock(target.files.controlLock, lockOptions, locked), body);
  } finally {
    // The machine may have been stopped meanwhile; its folder then was still in use.
    removeEmptyFolder(target.files);
  }
}

/**
 * A lasting connection to the control port, for programs; the caller closes it. As long as it is open other clients have
 * to use the port of the other loopback address; this takes the one that {@link withControl} tries last.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT` when the port stays busy, `QEMU_CONFIG_INVALID` for a machine
 * without one: its own socket is for short visits, since whoever holds it is in the way of a stop.
 */
export async function openControl(
  _host: Host,
  target: Target,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<QmpClient> {
  const ports = monitorPorts(target);
  if (ports.control === undefined) throw noControlPort(target);
  const deadline = performance.now() + options.timeoutMs;
  const left = (): number => Math.max(1, deadline - performance.now());
  return connectControl(target, ports, left, options.signal, LASTING_HOSTS);
}

function noControlPort(target: Target): QemuError {
  return new QemuError('QEMU_CONFIG_INVALID', `Machine "${target.longName}" has no control port`, {
    hint: 'MONITOR=off in monitor.conf, or no slot was free when it started; qemu-cmd can do without',
  });
}

const VISIT_HOSTS: readonly string[] = ['127.0.0.1', '::1'];
const LASTING_HOSTS: readonly string[] = ['::1', '127.0.0.1'];

async function connectControl(
  target: Target,
  ports: MonitorPorts,
  left: () => number,
  signal: AbortSignal | undefined,
  hosts: readonly string[] = VISIT_HOSTS,
): Promise<QmpClient> {
  if (ports.control === undefined) return connectOwn(target.files, left(), signal);
  let failure: unknown;
  for (let turn = 0; turn === 0 || left() > 1; turn++) {
    // A port that is refused fails at once.
    if (turn > 0) await delay(Math.min(AGAIN_MS, left()), signal);
    for (const host of hosts) {
      try {
        const timeoutMs = Math.min(left(), GREETING_MS);
        return await QmpClient.connect(portAddress(target, ports, ports.control, host), { timeoutMs, signal });
      } catch (error) {
        if (signal?.aborted || !(error instanceof QemuError) || !isBusy(error)) throw error;
        failure ??= error;
      }
    }
  }
  throw new QemuError('QEMU_TIMEOUT', `The control port ${ports.control} of "${target.longName}" does not answer`, {
    cause: failure,
    hint: 'another client holds it, or QEMU is busy; a monitor serves one client at a time',
  });
}

function isBusy(error: QemuError): boolean {
  return error.code === 'QEMU_TIMEOUT' || error.code === 'QEMU_QMP_CONNECT' || error.code === 'QEMU_QMP_CLOSED';
}
