import { hostname } from 'node:os';
import { QemuError } from '../base/errors.ts';
import { shellCommand } from '../config/text/shell-words.ts';
import { type MachineRef, notRunning } from '../machine/context.ts';
import { lostError } from '../machine/control/console.ts';
import { locate } from '../machine/run/locate.ts';
import { lostFiles } from '../machine/run/lost-files.ts';
import type { RecordedVnc } from '../machine/run/record.ts';
import { callerName } from '../system/users.ts';

/** Where a machine's VNC server is, and how to get there. */
export interface ScreenAccess {
  /** Address of the server; undefined when it listens on a socket. */
  readonly host: string | undefined;
  readonly display: number | undefined;
  /** TCP port. */
  readonly port: number | undefined;
  /** Path of the socket, which its folder opens to root and QEMU's user alone. */
  readonly socket: string | undefined;
  /** Command for another computer, which makes the screen available there at the same port of localhost. */
  readonly tunnel: string;
  /** What a viewer is given: on this host for a TCP server, at the end of the tunnel for a socket. */
  readonly viewer: string;
}

/** TCP port of VNC display 0: RFC 6143 has none, QEMU and all viewers count from here. */
const FIRST_PORT = 5900;

/**
 * How to see the screen of a running machine.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`; `QEMU_CONFIG_INVALID` when it runs without a VNC server, `QEMU_IO` when its
 * socket is gone.
 */
export function screenAccess(target: MachineRef): ScreenAccess {
  const located = locate(target.files);
  if (located.kind !== 'alive') throw notRunning(target);
  const vnc = located.record?.vnc;
  if (vnc === undefined) {
    throw new QemuError('QEMU_CONFIG_INVALID', `Machine "${target.longName}" runs without a VNC server`, {
      hint: 'set VNC=unix in its file, and restart it',
    });
  }
  const lost = vnc.port === undefined ? lostFiles(target) : undefined;
  if (lost !== undefined) throw lostError(target, 'screen', lost);
  return accessTo(vnc, `${callerName()}@${hostname()}`);
}

/** The same of what a start noted. Pure. */
export function accessTo({ host, display, port }: RecordedVnc, login: string): ScreenAccess {
  if (display === undefined || port === undefined) {
    return {
      ...{ host: undefined, display: undefined, port: undefined, socket: host },
      tunnel: tunnelTo(FIRST_PORT, host, login),
      viewer: `vnc://localhost:${FIRST_PORT}`,
    };
  }
  const name = WILDCARDS.includes(host) ? '127.0.0.1' : host;
  const address = `${name.includes(':') ? `[${name}]` : name}:${port}`;
  return { host, display, port, socket: undefined, tunnel: tunnelTo(port, address, login), viewer: `vnc://${address}` };
}

const WILDCARDS: readonly string[] = ['0.0.0.0', '::', ''];

/** ssh(1), -L: also to the path of a socket. */
function tunnelTo(port: number, place: string, login: string): string {
  return shellCommand('ssh', '-N', '-L', `${port}:${place}`, login);
}
