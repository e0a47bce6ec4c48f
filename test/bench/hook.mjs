/** The bridge hook, which QEMU waits for at every start, inside a network namespace of its own. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { medians, timeProgram } from './sampling.mjs';

const SETUP = `
mount -t sysfs sysfs /sys
ip link add br0 type bridge
ip link set br0 up
ip tuntap add dev tap0 mode tap
echo ready
exec sleep infinity`;

/** The medians of `qemu-brup tap0` and of `node -e 0`, or why they cannot be had here. */
export async function timeHook(rounds, dir, netif) {
  if (process.getuid() !== 0) return 'needs root';
  if (spawnSync('unshare', ['--net', '--mount', 'true']).status !== 0) return 'no network namespaces can be made here';
  const hook = join(dir, 'qemu-brup');
  symlinkSync(netif, hook);
  const keeper = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-ec', SETUP], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await new Promise((resolve, reject) => {
      keeper.stdout.once('data', resolve);
      keeper.once('exit', () => reject(new Error('The network namespace was not made')));
    });
    const inside = ['--target', String(keeper.pid), '--net', '--mount'];
    const env = { ...process.env, QEMU_INIT_ROOT: dir };
    const time = (...command) => timeProgram('nsenter', [...inside, ...command], { env });
    return await medians(rounds, {
      node: () => time(process.execPath, '-e', '0'),
      hook: async () => {
        execFileSync('nsenter', [...inside, 'ip', 'link', 'set', 'tap0', 'nomaster', 'down']);
        return time(hook, 'tap0');
      },
    });
  } finally {
    keeper.kill('SIGKILL');
  }
}
