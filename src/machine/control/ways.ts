import { QemuError } from '../../base/errors.ts';
import type { QmpAddress } from '../../qmp/address.ts';
import { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import type { QmpClientOptions } from '../../qmp/connect.ts';
import { HmpSession } from '../../qmp/hmp-session.ts';
import { runStateInText } from '../../qmp/status-answer.ts';
import { isThere } from '../../system/files/files.ts';
import { withHeldSocket } from '../../system/files/held-socket.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { RunRecord } from '../run/record.ts';
import { type FirstWayOptions, type Opened, openFirst, type Way } from './first-way.ts';
import { SHORT_SESSION } from './own-monitor.ts';
import { readPsk } from './port-tls.ts';

/** The ports of a run. */
export type Ports = Pick<RunRecord, 'monitorPort' | 'controlPort' | 'tls' | 'uid' | 'gid'>;

/** A machine that has no ports, or whose record is lost. */
export const NO_PORTS: Ports = {
  monitorPort: undefined,
  controlPort: undefined,
  tls: false,
  uid: undefined,
  gid: undefined,
};

/**
 * What a stop, a look and a change of the state need: a few commands without arguments, sent to any available monitor.
 */
export interface AnyMonitor {
  /** Runs a command of the human monitor and returns what it prints. @throws {QemuError} as {@link QmpClient.hmp}. */
  readonly hmp: (command: string, options: ExecuteOptions) => Promise<string>;
  /**
   * `query-status`, `query-pci`, and commands without arguments and answer: `cont`, `quit`, `system_powerdown` …
   *
   * @throws {QemuError} as {@link QmpClient.executeRaw}.
   */
  readonly executeRaw: (command: string, args: undefined, options: ExecuteOptions) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/**
 * Connects to the first monitor of a machine that can be had: its own socket, which is missing when the run-time folder
 * was cleared and busy when another program holds it; then the control port; then the monitor port.
 *
 * @throws {QemuError} as {@link openFirst}.
 */
export function openAny(files: MachinePaths, ports: Ports, options: FirstWayOptions): Promise<Opened<AnyMonitor>> {
  const ways: Way<AnyMonitor>[] = [
    ownSocket(files, SHORT_SESSION),
    ...controlPorts(files, ports, SHORT_SESSION),
    ...monitorPorts(files, ports, SHORT_SESSION.maxLineBytes),
  ];
  return openFirst('its monitors', ways, options);
}

/** What a connection is for. */
export type SessionOptions = Pick<QmpClientOptions, 'maxLineBytes' | 'outOfBand'>;

/** The machine's own socket, which serves one client at a time. */
export function ownSocket(files: MachinePaths, session: SessionOptions = {}): Way<QmpClient> {
  return {
    name: 'own socket',
    // With RUNAS it is in a folder where QEMU's user could put a link instead.
    open: (signal, timeoutMs) =>
      withHeldSocket(isThere(files.oldQmpSocket) ? files.oldQmpSocket : files.qmpSocket, (path) =>
        QmpClient.connect({ kind: 'unix', path }, { ...session, timeoutMs, signal }),
      ),
  };
}

/** The control port on both loopback addresses; none when there is none. */
export function controlPorts(files: MachinePaths, ports: Ports, session: SessionOptions = {}): Way<QmpClient>[] {
  const { controlPort } = ports;
  if (controlPort === undefined) return [];
  return LOOPBACK.map((host) => ({
    name: `control port ${controlPort} of ${host}`,
    open: async (signal, timeoutMs) =>
      QmpClient.connect(portAddress(files, ports, controlPort, host), { ...session, timeoutMs, signal }),
  }));
}

/**
 * The address of a port on one of the loopback addresses, with the key when it needs one. @throws {QemuError} as {@link
 * readPsk}.
 */
export function portAddress(files: MachinePaths, { tls, uid, gid }: Ports, port: number, host: string): QmpAddress {
  const user = uid === undefined || gid === undefined ? undefined : { uid, gid };
  return { kind: 'tcp', host, port, ...(tls ? { psk: readPsk(files, user) } : {}) };
}

export const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/**
 * The monitor port on both loopback addresses, for those who can do with the human monitor; none when there is none.
 */
export function monitorPorts(files: MachinePaths, ports: Ports, maxBytes?: number): Way<AnyMonitor>[] {
  const { monitorPort } = ports;
  if (monitorPort === undefined) return [];
  return LOOPBACK.map((host) => ({
    name: `monitor port ${monitorPort} of ${host}`,
    open: async (signal, timeoutMs) =>
      overHmp(await HmpSession.open(portAddress(files, ports, monitorPort, host), { timeoutMs, signal, maxBytes })),
  }));
}

/** The commands of the human monitor have the names of QMP, but for the queries. */
function overHmp(session: HmpSession): AnyMonitor {
  return {
    close: () => session.close(),
    hmp: (command, options) => (isQuit(command) ? quit(session, options) : session.run(command, options)),
    executeRaw: async (command, _, options) => {
      if (command === 'query-status') return { status: runStateInText(await session.run('info status', options)) };
      // The human monitor has no reliable way to report which disk failed.
      if (command === 'query-block') return [];
      if (isQuit(command)) {
        await quit(session, options);
        return {};
      }
      const printed = await session.run(HMP_NAMES[command] ?? command, options);
      const refusal = /^(Error: .*|Command '.*' not available.*|unknown command: .*)$/m.exec(printed)?.[0];
      if (refusal !== undefined) throw new QemuError('QEMU_QMP_REFUSED', `QEMU refused "${command}": ${refusal}`);
      return {};
    },
  };
}

/** Commands with another name there. */
const HMP_NAMES: Readonly<Record<string, string>> = { 'query-pci': 'info pci', 'x-exit-preconfig': 'exit_preconfig' };

function isQuit(command: string): boolean {
  return /^\s*q(uit)?\s*$/.test(command);
}

/** QEMU hangs up instead of printing its prompt. */
async function quit(session: HmpSession, options: ExecuteOptions): Promise<string> {
  try {
    return await session.run('quit', options);
  } catch (error) {
    if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_CLOSED') throw error;
    return '';
  }
}
