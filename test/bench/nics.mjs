/** What NICs cost a start, inside a network namespace of its own. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { medians, timeProgram } from './sampling.mjs';

const SETUP = `
mount -t sysfs sysfs /sys
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
echo ready
exec sleep infinity`;

/**
 * The medians of starts with one NIC and with eight in managed mode, with one and two NICs in hook mode, and of `node -e 0`;
 * or why they cannot be had here.
 */
export async function timeNics(rounds, dir, tool) {
  if (process.getuid() !== 0) return 'needs root';
  if (spawnSync('unshare', ['--net', '--mount', 'true']).status !== 0) return 'no network namespaces can be made here';
  const root = join(dir, 'nics');
  const etc = join(root, 'etc/qemu');
  mkdirSync(etc, { recursive: true });
  for (const hook of ['qemu-brup', 'qemu-brdown']) symlinkSync(tool('qemu-netif'), join(etc, hook));
  const machine = (netif, count) => {
    const nics = Array.from({ length: count }, (_, i) => `NIC${i + 1}=virtio-net-pci`);
    writeFileSync(
      join(etc, `${netif}${count}-qemu.cfg`),
      ['RAM=16M', 'KVM=off', `NETIF=${netif}`, ...nics, ''].join('\n'),
    );
    return `${netif}${count}`;
  };
  const keeper = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-ec', SETUP], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await new Promise((resolve, reject) => {
      keeper.stdout.once('data', resolve);
      keeper.once('exit', () => reject(new Error('The network namespace was not made')));
    });
    const inside = ['nsenter', '--target', String(keeper.pid), '--net', '--mount'];
    const env = { ...process.env, QEMU_INIT_ROOT: root };
    const start = (netif, count) => {
      const name = machine(netif, count);
      return async () => {
        const [file, ...args] = [...inside, tool('qemu-init'), 'start', name];
        const elapsed = await timeProgram(file, args, { env });
        execFileSync(inside[0], [...inside.slice(1), tool('qemu-init'), 'kill', name], { env, stdio: 'ignore' });
        return elapsed;
      };
    };
    return await medians(rounds, {
      node: () => timeProgram(process.execPath, ['-e', '0']),
      managed1: start('managed', 1),
      managed8: start('managed', 8),
      hook1: start('hook', 1),
      hook2: start('hook', 2),
    });
  } finally {
    keeper.kill('SIGKILL');
  }
}
