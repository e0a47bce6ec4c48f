import { spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** Set in the process that is already inside. */
const INSIDE = 'QEMU_INIT_TEST_NAMESPACE';

/**
 * Runs the rest of the test file that calls it in network and mount namespaces of its own, with nothing but `lo` in them and a
 * /dev/net/tun for everybody as on an installed host. They are gone with the last process in them, whatever happens.
 *
 * The file runs once more as a child, which reports in its place: to be awaited before the first test is defined. Needs root.
 */
export async function enterOwnNamespace(): Promise<void> {
  if (process.env[INSIDE] === '1') return;
  const args = ['--net', '--mount', '--propagation', 'private', 'sh', '-ec', SETUP, 'sh', process.execPath];
  const { status, error } = spawnSync('unshare', [...args, ...process.execArgv, process.argv[1] ?? ''], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
  if (!process.stdout.writableFinished && process.stdout.writableLength > 0) await once(process.stdout, 'drain');
  process.exit();
}

/** sysfs shows the interfaces of the namespace that it was mounted in (sysfs(5), ip-netns(8)). */
const SETUP = `
mount -t sysfs sysfs /sys
ip link set lo up
mount -t tmpfs tmpfs /dev/net
mknod -m 0666 /dev/net/tun c 10 200
exec "$@"`;
