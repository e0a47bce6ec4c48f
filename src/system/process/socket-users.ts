import { readFileSync } from 'node:fs';

/** SS_CONNECTED of linux/net.h. */
const CONNECTED = '03';

/**
 * How many connections to a unix socket are open now; undefined when that cannot be read.
 *
 * @param path as its server has bound it, whatever it was renamed to since.
 * @see proc_pid_net(5), `/proc/net/unix`
 */
export function countConnections(path: string): number | undefined {
  try {
    return connectionsIn(readFileSync('/proc/net/unix', 'utf8'), path);
  } catch {
    return undefined;
  }
}

/** The same from the text of that file: the ends of connections at the server have its path. Pure. */
export function connectionsIn(text: string, path: string): number {
  return text.split('\n').filter((line) => {
    const [, state, name] = /^(?:\S+ ){5}(\S+) +\S+ (.*)$/.exec(line) ?? [];
    return state === CONNECTED && name === path;
  }).length;
}
