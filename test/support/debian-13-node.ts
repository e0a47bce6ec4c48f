import { debian13Program, type OtherProgram } from './debian-13.ts';

/** It reads parts of itself from /usr/share/nodejs, whatever its own path, so it has a /usr/share in which its files lie over the host's. */
const START = `exec unshare --mount sh -c '
  mount -t overlay -o "lowerdir=$0/usr/share:/usr/share" overlay /usr/share && exec "$@"
' "$d" "$loader" --library-path "$lib" "$d/usr/bin/node" "$@"`;

/** The Node.js of Debian 13, the oldest that is supported. Needs root. */
export function debian13Node(): OtherProgram {
  if (process.getuid?.() !== 0) return { obstacle: 'Node.js of Debian 13 needs root to be run on another Debian' };
  return debian13Program({ folder: 'trixie-node', name: 'node', packages: ['nodejs'], start: START });
}
