import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './debian-package.ts';
import { repoRoot } from './repo.ts';

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

/** Downloading takes a minute from a near mirror, much longer from others. */
const BUILD_MS = 15 * 60_000;

/**
 * The guest, made once by `debian-guest.sh` and kept below the user's cache folder by the hash of that file: 140 MB,
 * in about a minute. It boots in about a minute without KVM. Another test that makes it at the same time is waited for.
 *
 * A test that needs it is to be skipped with the obstacle: no root, no debootstrap, no mirror.
 */
export function debianGuest(): DebianGuestOrNot {
  if (process.arch !== 'x64') return { obstacle: 'the Debian guest is made for x86-64 only' };
  const recipe = join(repoRoot, 'test/support/debian-guest.sh');
  const hash = createHash('sha256').update(readFileSync(recipe)).digest('hex').slice(0, 12);
  const dir = join(cacheFolder(), `debian-guest-${hash}`);
  if (!existsSync(dir)) {
    const obstacle = process.getuid?.() === 0 ? undefined : 'making the Debian guest takes root';
    if (obstacle !== undefined) return { obstacle };
    try {
      build(recipe, dir);
    } catch (error) {
      return { obstacle: `the Debian guest cannot be made: ${error instanceof Error ? error.message : error}` };
    }
  }
  const append = 'root=LABEL=root console=ttyS0 mitigations=off random.trust_cpu=on quiet';
  const guest = {
    kernel: join(dir, 'vmlinuz'),
    initrd: join(dir, 'initrd'),
    disk: join(dir, 'disk.qcow2'),
    append: `${append} cloud-init=disabled`,
    appendForCloudInit: append,
  };
  return { guest };
}

/** Made aside and renamed, under a lock: whoever comes second finds it made. */
function build(recipe: string, dir: string): void {
  mkdirSync(cacheFolder(), { recursive: true });
  const fresh = mkdtempSync(`${dir}.`);
  const log = join(fresh, 'log');
  const output = openSync(log, 'w');
  try {
    mkdirSync(join(fresh, 'work'));
    // Processes and mounts go with the namespaces, however this ends.
    const apart = ['unshare', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child'];
    const command = [...apart, 'sh', '-c', BUILD, 'sh', dir, recipe, fresh];
    execFileSync('flock', ['--no-fork', join(cacheFolder(), '.debian-guest.lock'), ...command], {
      stdio: ['ignore', output, output],
      timeout: BUILD_MS,
    });
    if (existsSync(dir)) return;
    rmSync(join(fresh, 'work'), { recursive: true });
    renameSync(fresh, dir);
  } catch (cause) {
    throw new Error(`${readFileSync(log, 'utf8').trimEnd().split('\n').slice(-3).join(' / ')}`, { cause });
  } finally {
    closeSync(output);
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Another may have made it while this one waited for the lock. */
const BUILD = '[ -e "$1" ] || exec sh "$2" "$3"';
