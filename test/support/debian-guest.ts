import { join } from 'node:path';
import { buildOnce } from './build-once.ts';

/** A Debian guest with systemd, udev, the guest agent, sshd, Python and cloud-init, for KERNEL, INITRD and APPEND. */
export interface DebianGuest {
  readonly kernel: string;
  readonly initrd: string;
  /** A qcow2 image that nothing may write to. */
  readonly disk: string;
  /** The kernel's command line without cloud-init, which saves half a minute. */
  readonly append: string;
  /** The same for a guest that cloud-init is to set up. */
  readonly appendForCloudInit: string;
}

/** A guest, or why there is none. */
export type DebianGuestOrNot =
  | { readonly guest: DebianGuest; readonly obstacle?: undefined }
  | { readonly guest?: undefined; readonly obstacle: string };

/**
 * The guest, made once by `debian-guest.sh` and kept below the user's cache folder by the hash of that file: 140 MB,
 * in about a minute. It boots in about a minute without KVM. Another test that makes it at the same time is waited for.
 *
 * A test that needs it is to be skipped with the obstacle: no root, no debootstrap, no mirror.
 */
export function debianGuest(): DebianGuestOrNot {
  if (process.arch !== 'x64') return { obstacle: 'the Debian guest is made for x86-64 only' };
  try {
    return { guest: guestIn(buildOnce('debian-guest.sh')) };
  } catch (error) {
    return { obstacle: `the Debian guest cannot be made: ${error instanceof Error ? error.message : error}` };
  }
}

function guestIn(dir: string): DebianGuest {
  const append = 'root=LABEL=root console=ttyS0 mitigations=off random.trust_cpu=on no_timer_check quiet';
  return {
    kernel: join(dir, 'vmlinuz'),
    initrd: join(dir, 'initrd'),
    disk: join(dir, 'disk.qcow2'),
    append: `${append} cloud-init=disabled`,
    appendForCloudInit: append,
  };
}
