import { QemuError } from '../../base/errors.ts';
import { joinWords } from '../../config/text/shell-words.ts';

/** Another host, as a place that machines move to. */
export interface SshPlace {
  /** As it was given: `ssh://root@node2:2222/srv/two`. */
  readonly name: string;
  /** Undefined: what ssh_config(5) says. */
  readonly user: string | undefined;
  /** A name, also one of ssh_config(5), or an address without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** The folder for `--root` there; undefined: none. */
  readonly root: string | undefined;
}

const FORM = /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/@[\]]*)(?::([^/]*))?(\/.*)?$/s;

/**
 * Reads a place on another host. Nothing of it can be taken for an option of ssh(1), or for more than one word by the
 * shell there.
 *
 * @throws {QemuError} `QEMU_USAGE`
 */
export function parseSshPlace(name: string): SshPlace {
  const match = FORM.exec(name);
  const [, user, given = '', port, folder] = match ?? [];
  const host = given.startsWith('[') ? given.slice(1, -1) : given;
  const isHost = given.startsWith('[') ? isAddress(host) : /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(host);
  const fault =
    match === null || !isHost
      ? 'its host is not a name or an address'
      : user !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.\\-]*$/.test(user)
        ? 'its user is not a name'
        : port !== undefined && !isPort(port)
          ? 'its port is not a number from 1 to 65535'
          : folder !== undefined && /\p{Cc}/u.test(folder)
            ? 'its folder has control characters'
            : undefined;
  if (fault !== undefined) {
    throw new QemuError('QEMU_USAGE', `"${name}" is not a place that a machine can move to: ${fault}`, {
      hint: 'give ssh://[USER@]HOST[:PORT][/ROOT], such as ssh://root@node2',
    });
  }
  const root = folder === undefined || /^\/+$/.test(folder) ? undefined : folder;
  return { name, user, host, port: port === undefined ? undefined : Number(port), root };
}

function isAddress(text: string): boolean {
  return /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?$/.test(text);
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** Seconds for a connection to be made, and the keys to be exchanged. */
export const CONNECT_SECONDS = 10;
/** A line that is cut is noticed after three of these. */
const ALIVE_SECONDS = 5;

/**
 * Options that no file of ssh_config(5) changes: nobody is asked, a host whose key is not known is refused, nothing else
 * is forwarded, and other connections can join by `control` (ControlPath).
 */
function options(control: string, connectSeconds: number): string[] {
  return [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `ConnectTimeout=${connectSeconds}`,
    'ConnectionAttempts=1',
    `ServerAliveInterval=${ALIVE_SECONDS}`,
    'ServerAliveCountMax=3',
    'RemoteCommand=none',
    'SessionType=default',
    'StdinNull=no',
    'ForkAfterAuthentication=no',
    'PermitLocalCommand=no',
    'ForwardAgent=no',
    'ForwardX11=no',
    'Tunnel=no',
    'ControlMaster=yes',
    'ControlPersist=no',
    `ControlPath=${control.replaceAll('%', '%%')}`,
    // The folder guards the socket: who may pass through it may connect.
    'StreamLocalBindMask=0111',
    'StreamLocalBindUnlink=yes',
  ].flatMap((each) => ['-o', each]);
}

function destination({ user, host, port }: SshPlace): string[] {
  return [...(user === undefined ? [] : ['-l', user]), ...(port === undefined ? [] : ['-p', String(port)]), '--', host];
}

/** The command line that starts the tool at a place. Pure. */
export function sshArguments(place: SshPlace, control: string, connectSeconds = CONNECT_SECONDS): string[] {
  const scope = place.root === undefined ? [] : ['--root', place.root];
  const command = joinWords(['qemu-init', 'receive', ...scope]);
  return ['-T', '-a', '-x', ...options(control, connectSeconds), ...destination(place), command];
}

/** The command line that has a connection forward a socket of this host to one there. Pure. */
export function forwardArguments(place: SshPlace, control: string, here: string, there: string): string[] {
  const paths = [here, there].map((path) => path.replaceAll(/[\\:]/g, '\\$&').replaceAll('%', '%%'));
  return ['-S', control.replaceAll('%', '%%'), '-O', 'forward', '-L', paths.join(':'), ...destination(place)];
}
