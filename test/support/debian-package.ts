import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The files of a Debian package, unpacked below the user's cache folder with its scripts in `DEBIAN`; downloaded once, and
 * not installed.
 *
 * @param folder where; it has to name the version, as far as that matters and the package's name does not.
 */
export function debianPackage(name: string, folder = name): string {
  const dir = join(cacheFolder(), folder);
  if (!existsSync(dir)) unpack(name, dir);
  return dir;
}

/** Where tests keep what is made once for all of them. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'qemu-init-test');
}

/** Unpacks a package over a folder, without its scripts. */
export function unpackDeb(deb: string, dir: string): void {
  execFileSync('dpkg-deb', ['--extract', deb, dir]);
}

/** Made aside and renamed, as another test may be doing the same. */
function unpack(name: string, dir: string): void {
  mkdirSync(join(dir, '..'), { recursive: true });
  const fresh = mkdtempSync(`${dir}.`);
  try {
    download(name, fresh);
    const [deb = ''] = readdirSync(fresh);
    execFileSync('dpkg-deb', ['--raw-extract', deb, 'files'], { cwd: fresh });
    renameSync(join(fresh, 'files'), dir);
  } catch (error) {
    if (!existsSync(dir)) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function download(name: string, dir: string): void {
  const words = ['download', '--quiet=2', name];
  try {
    apt('apt-get', words, dir);
  } catch (error) {
    if (!updateLists()) throw error;
    apt('apt-get', words, dir);
  }
}

/** Has apt read its sources again. Returns whether it could be asked to. */
export function updateLists(): boolean {
  if (process.getuid?.() !== 0) return false;
  apt('apt-get', ['update', '--quiet=2']);
  return true;
}

/** Runs one of apt's programs and returns what it printed. One at a time: apt does not wait for another that reads its sources. */
export function apt(program: string, args: readonly string[], cwd?: string): string {
  mkdirSync(cacheFolder(), { recursive: true });
  const alone = ['--no-fork', join(cacheFolder(), '.apt.lock'), program, ...args];
  try {
    return execFileSync('flock', alone, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (cause) {
    throw new Error(`Cannot get a Debian package that the tests need: ${program} ${args.join(' ')} failed`, { cause });
  }
}
