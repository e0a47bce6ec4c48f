import { spawnSync } from 'node:child_process';
import { debian13Program, type OtherProgram } from './debian-13.ts';

/** It reads parts of itself from /usr/share/nodejs, whatever its own path, so it has a /usr/share in which its files lie over the host's. */
const START = `exec unshare --mount sh -c '
  mount -t overlay -o "lowerdir=$0/usr/share:/usr/share" overlay /usr/share && exec "$@"
' "$d" "$loader" --library-path "$lib" "$d/usr/bin/node" "$@"`;

/** What that takes, which root of a container may lack: a mount namespace, and an overlay over folders of the host. */
const TRIAL = 'mount -t overlay -o lowerdir=/usr/bin:/usr/share overlay /usr/share';

/** The Node.js of Debian 13, the oldest that is supported. Needs root that may mount. */
export function debian13Node(): OtherProgram {
  const { status, stderr, error } = spawnSync('unshare', ['--mount', 'sh', '-c', TRIAL], { encoding: 'utf8' });
  if (status !== 0) {
    const why = error?.message ?? stderr.trim();
    return { obstacle: `Node.js of Debian 13 cannot be run on another Debian without a mount over /usr/share: ${why}` };
  }
  return debian13Program({ folder: 'trixie-node', name: 'node', packages: ['nodejs'], start: START });
}
