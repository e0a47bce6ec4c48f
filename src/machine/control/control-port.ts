import { QemuError } from '../../base/errors.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { withLock } from '../../system/lock/lock.ts';
import { type MachineContext, type MachineRef, notRunning } from '../context.ts';
import { thawLeftover } from '../quiesce/thaw.ts';
import { removeEmptyFolder } from '../run/clean-up.ts';
import { locate } from '../run/locate.ts';
import { lockedIfPossible } from '../run/run-lock.ts';
import { settleFirst } from '../work/settle-first.ts';
import { type Closable, type FirstWayOptions, type Opened, openFirst, type Way } from './first-way.ts';
import { type AnyMonitor, controlPorts, monitorPorts, NO_PORTS, openAny, ownSocket, type Ports } from './ways.ts';

/**
 * The ports of a running machine.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`
 */
export function portsOf(target: MachineRef): Ports {
  const located = locate(target.files);
  if (located.kind !== 'alive') throw notRunning(target);
  return located.record ?? NO_PORTS;
}

/**
 * Does something on a short QMP connection to the control port. When another program holds the port on both loopback
 * addresses, which any local user can do without the key, and for a machine without ports, the machine's own socket
 * serves; a notice says so.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT` when all of them stay busy, and what `work` throws.
 */
export async function withControl<T>(
  host: MachineContext,
  target: MachineRef,
  options: FirstWayOptions,
  work: (client: QmpClient) => Promise<T>,
): Promise<T> {
  const ports = portsOf(target);
  return inTurn(host, target, options, [...controlPorts(target.files, ports), ownSocket(target.files)], work);
}

/**
 * The same for commands of the human monitor: when neither of them can be had, the monitor port serves.
 *
 * @throws {QemuError} as {@link withControl}.
 */
export async function withHumanMonitor<T>(
  host: MachineContext,
  target: MachineRef,
  options: FirstWayOptions,
  work: (monitor: AnyMonitor) => Promise<T>,
): Promise<T> {
  const { files } = target;
  const ports = portsOf(target);
  const ways = [...controlPorts(files, ports), ownSocket(files), ...monitorPorts(files, ports)];
  return inTurn<AnyMonitor, T>(host, target, options, ways, work);
}

/** Commands on one machine wait for each other, since a monitor serves one client at a time. */
async function inTurn<M extends Closable, T>(
  host: MachineContext,
  target: MachineRef,
  options: FirstWayOptions,
  ways: readonly Way<M>[],
  work: (monitor: M) => Promise<T>,
): Promise<T> {
  await settleFirst(host, target);
  await thawLeftover(host, target);
  const deadline = performance.now() + options.timeoutMs;
  const lockOptions = { timeoutMs: options.timeoutMs, signal: options.signal, purpose: 'qemu-cmd' };
  const body = async (): Promise<T> => {
    const timeoutMs = Math.max(1, deadline - performance.now());
    return useFirst(
      host,
      target,
      await openFirst(`machine "${target.longName}"`, ways, { ...options, timeoutMs }),
      work,
    );
  };
  try {
    return await lockedIfPossible((locked) => withLock(target.files.controlLock, lockOptions, locked), body);
  } finally {
    // The machine may have been stopped meanwhile; its folder then was still in use.
    removeEmptyFolder(target.files);
  }
}

/** No command that this package sends on its own socket is out of band. */
const IN_BAND = { outOfBand: false };

/**
 * Does something on a short QMP connection to the machine's own socket, so that no session of another program is in the
 * way. When that is missing or held all the same, the control port serves; a notice says so.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT`, and what `work` throws.
 */
export async function withOwnMonitor<T>(
  host: MachineContext,
  target: MachineRef,
  options: FirstWayOptions,
  work: (client: QmpClient) => Promise<T>,
): Promise<T> {
  const ways = [ownSocket(target.files, IN_BAND), ...controlPorts(target.files, portsOf(target), IN_BAND)];
  await settleFirst(host, target);
  await thawLeftover(host, target);
  return useFirst(host, target, await openFirst(`machine "${target.longName}"`, ways, options), work);
}

/**
 * The same with any available monitor; the monitor port is tried last.
 *
 * @throws {QemuError} as {@link withOwnMonitor}.
 */
export async function withAnyMonitor<T>(
  host: MachineContext,
  target: MachineRef,
  options: FirstWayOptions,
  work: (monitor: AnyMonitor) => Promise<T>,
): Promise<T> {
  const ports = portsOf(target);
  await settleFirst(host, target);
  await thawLeftover(host, target);
  return useFirst(host, target, await openAny(target.files, ports, options), work);
}

/**
 * A lasting connection to the control port, for programs; the caller closes it. While it is open, other clients
 * have to use the port of the other loopback address; this takes the one that {@link withControl} tries last.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_TIMEOUT` when the port stays busy, `QEMU_CONFIG_INVALID` for a machine
 * without one: its own socket is for short visits, since a client that holds it delays a stop.
 */
export async function openControl(target: MachineRef, options: FirstWayOptions): Promise<QmpClient> {
  const ports = portsOf(target);
  if (ports.controlPort === undefined) throw noControlPort(target);
  const ways = controlPorts(target.files, ports).toReversed();
  return (await openFirst(`machine "${target.longName}"`, ways, options)).value;
}

/** Reports which way was taken when it is not the first one. */
export function tellWay(
  host: MachineContext,
  target: MachineRef,
  { way, passed }: Omit<Opened<unknown>, 'value'>,
): void {
  // The other loopback address is the same port.
  const isOther = passed.some((each) => each.split(' ')[0] !== way.split(' ')[0]);
  if (isOther) {
    const message = `reached over its ${way} (${passed.join('; ')})`;
    host.notify({ level: 'info', machine: target.longName, message });
  }
}

async function useFirst<M extends Closable, T>(
  host: MachineContext,
  target: MachineRef,
  opened: Opened<M>,
  work: (monitor: M) => Promise<T>,
): Promise<T> {
  tellWay(host, target, opened);
  try {
    return await work(opened.value);
  } finally {
    await opened.value.close();
  }
}

function noControlPort(target: MachineRef): QemuError {
  return new QemuError('QEMU_CONFIG_INVALID', `Machine "${target.longName}" has no control port`, {
    hint: 'MONITOR=off in monitor.conf, or no slot was free when it started; qemu-cmd works without one',
  });
}
