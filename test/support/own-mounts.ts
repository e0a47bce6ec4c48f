import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cleanup, tempDir } from './temp-root.ts';

/** Set in the process that is already inside. */
const INSIDE = 'QEMU_INIT_TEST_MOUNTS';

/**
 * Runs the rest of the test file that calls it in a mount namespace of its own, so that it may mount what it likes: who is
 * not root becomes root of a user namespace for that. All mounts are gone with the last process in it.
 *
 * The file runs once more as a child, which reports in its place: to be awaited before the first test is defined.
 */
export async function enterOwnMounts(): Promise<void> {
  if (process.env[INSIDE] === '1') return;
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const args = [...user, '--mount', '--propagation', 'private', process.execPath, ...process.execArgv];
  const { status, error } = spawnSync('unshare', [...args, process.argv[1] ?? ''], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
  if (!process.stdout.writableFinished && process.stdout.writableLength > 0) await once(process.stdout, 'drain');
  process.exit();
}

/** Puts an empty file system of so many KiB at a folder. */
export function mountSmall(dir: string, kib: number): void {
  mount('-t', 'tmpfs', '-o', `size=${kib}k,mode=0755`, 'tmpfs', dir);
}

/** Lets nobody write below a folder, root included, from now on. */
export function makeReadOnly(dir: string): void {
  mount('--bind', dir, dir);
  mount('-o', 'remount,bind,ro', dir);
}

/**
 * Covers /etc with a copy of it, without users of machines: those that are made from now on are nobody else's. Their numbers
 * are not those that are given on this host and in containers, for userdel(8) spares a user who has any process.
 */
export function useOwnEtc(t: Cleanup): void {
  const copy = tempDir(t);
  execFileSync('cp', ['--archive', '/etc/.', copy]);
  for (const name of ['passwd', 'shadow', 'group', 'gshadow']) {
    const file = join(copy, name);
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, lines.filter((line) => !line.startsWith('qi-')).join('\n'));
  }
  appendFileSync(join(copy, 'login.defs'), `\nSYS_UID_MAX ${500 + (process.pid % 400)}\n`);
  mount('--bind', copy, '/etc');
  t.after(() => unmount('/etc'));
}

/** Shows a folder at another place, too. */
export function mountAgain(dir: string, place: string): void {
  mount('--bind', dir, place);
}

export function unmount(dir: string): void {
  const { status, stderr } = spawnSync('umount', [dir], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot unmount "${dir}": ${stderr}`);
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot mount ${args.join(' ')}: ${stderr}`);
}
