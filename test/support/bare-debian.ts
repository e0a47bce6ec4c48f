import { join } from 'node:path';
import { buildOnce } from './build-once.ts';

/** A tar archive, or why there is none. */
export type BareDebianOrNot =
  | { readonly archive: string; readonly obstacle?: undefined }
  | { readonly archive?: undefined; readonly obstacle: string };

/**
 * A Debian 12 with an SSH server and nothing else, as a tar archive of its root: 430 MB, made in some minutes by
 * `bare-debian.sh`. The packages that docs/two-servers.md has installed are in its cache, since nodes have no way to a mirror.
 *
 * A test that needs it is to be skipped with the obstacle: no root, no debootstrap, no mirror.
 */
export function bareDebian(): BareDebianOrNot {
  try {
    return { archive: join(buildOnce('bare-debian.sh'), 'root.tar') };
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    return { obstacle: `no Debian can be unpacked: ${reason}` };
  }
}
