import { type RunAs, runAsPrefix } from '../start/run-as.ts';

/** Descriptor of its monitor: a socket that only this process has the other end of. */
export const MONITOR_FD = 3;

/** What is known of the host. */
export interface DaemonSurroundings {
  /** The user that it runs as; undefined: the caller. */
  readonly user: RunAs | undefined;
  /** Whether the caller is root. */
  readonly isRoot: boolean;
  /** Which of setpriv(1), prlimit(1) and unshare(1) this host has. */
  readonly has: (program: string) => boolean;
  /** How many images it opens. */
  readonly images: number;
}

/** Tables of an image of many terabytes (qemu-storage-daemon keeps 32 MiB of them), and what its threads reserve. */
const MEMORY_BYTES = 1024 ** 3;
const MEMORY_OF_IMAGE_BYTES = 128 * 1024 ** 2;

/**
 * The command line of qemu-storage-daemon(1): as the machine's user, without a network, with limits on its memory, and
 * ended by SIGTERM when this process ends, so that it closes the images in any case. Pure.
 */
export function daemonArgv({ user, isRoot, has, images }: DaemonSurroundings): string[] {
  const memory = MEMORY_BYTES + images * MEMORY_OF_IMAGE_BYTES;
  const apart = isRoot ? ['unshare', '--net', '--'] : ['unshare', '--user', '--map-current-user', '--net', '--'];
  return [
    ...(has('unshare') ? apart : []),
    ...(has('prlimit') ? ['prlimit', `--as=${memory}`, '--core=0', '--'] : []),
    ...runAsPrefix(user),
    // Last: a change of the user forgets it (prctl(2), PR_SET_PDEATHSIG).
    ...(has('setpriv') ? ['setpriv', '--pdeathsig', 'TERM', '--'] : []),
    'env',
    'MALLOC_ARENA_MAX=2',
    'qemu-storage-daemon',
    '--chardev',
    `socket,id=mon,fd=${MONITOR_FD}`,
    '--monitor',
    'chardev=mon',
  ];
}
