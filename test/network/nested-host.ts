import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LinuxGuest } from '../support/linux-guest.ts';
import { repoRoot } from '../support/repo.ts';
import type { Cleanup } from '../support/temp-root.ts';
import { type Guest, linuxHost } from './machines.ts';
import { sh } from './shell.ts';

/** Where a nested host has what its own guests boot. */
export const NESTED = { kernel: '/vmlinuz', initrd: '/initrd', tinyDisk: '/tiny.img' };

/**
 * A Linux guest that is itself a host: it has Node, QEMU, iproute2 and the tools under test, and its kernel has what the
 * kernel of the tests may lack: bridges that filter VLANs, vhost, and a KVM that works, on the AMD-V that QEMU emulates.
 * Machines of its own that use that KVM cost about what they cost here, those under emulation many times as much.
 *
 * @param guest what its guests boot.
 * @param tinyDisk path of the disk of {@link NESTED.tinyDisk}.
 */
export async function nestedHost(t: Cleanup, guest: LinuxGuest, tinyDisk: string): Promise<Guest> {
  const outer = linuxHost(t, ['kvm_amd', 'vhost_net', 'tun', 'bridge', '8021q']);
  packHost(join(outer.dir, 'host.tar'), guest, tinyDisk);
  // With the virtual interrupt flag of AMD-V, QEMU's emulation of it crashes Linux within seconds; without, seldom.
  const hardware = ['RAM=1536M', 'SMP=2', 'CPU=max,-vgif'];
  outer.register('host', [...hardware, `DSK1=${join(outer.dir, 'host.tar')},format=raw,readonly=on`]);
  const [host] = await outer.start('host');
  if (host === undefined) throw new Error('The nested host did not start');
  await host.sh('tar -x -C / -f /dev/vda; ln -s /bin/busybox /usr/bin/env; mkdir -p /etc/qemu');
  // What KVM has to say would stand among the answers.
  await host.sh('echo 1 >/proc/sys/kernel/printk; ip link set lo up');
  await host.sh(`export PATH=/qemu-init/bin:${dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin`);
  // The shell takes a plain name for busybox's own program of that name.
  await host.sh(`ip() { ${pathOf('ip')} "$@"; }; bridge() { ${pathOf('bridge')} "$@"; }`);
  return host;
}

/** A tar file is a disk as good as any: its size is a multiple of 512 bytes, and its end is marked. */
function packHost(tarPath: string, guest: LinuxGuest, tinyDisk: string): void {
  const programs = [process.execPath, ...['qemu-system-x86_64', 'ip', 'bridge'].map(pathOf), ...accelerators()];
  const tools = ['bin', 'dist', 'package.json'].map((name) => join(repoRoot, name));
  const renamed = { [repoRoot]: '/qemu-init', [guest.kernel]: NESTED.kernel, [guest.initrd]: NESTED.initrd };
  const moves = Object.entries({ ...renamed, [tinyDisk]: NESTED.tinyDisk });
  execFileSync('tar', [
    ...['--create', '--dereference', '--absolute-names', `--file=${tarPath}`],
    ...moves.map(([from, to]) => `--transform=s,^${from},${to},`),
    ...new Set([...programs, ...programs.flatMap(librariesOf), ...firmware(), ...tools]),
    ...[guest.kernel, guest.initrd, tinyDisk],
  ]);
}

function pathOf(program: string): string {
  return sh('sh', '-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`).trim();
}

function librariesOf(path: string): string[] {
  return [...sh('ldd', path).matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
}

/** QEMU's modules without which it does not even say what it can do. */
function accelerators(): string[] {
  const dir = '/usr/lib/x86_64-linux-gnu/qemu';
  return readdirSync(dir)
    .filter((name) => name.startsWith('accel-'))
    .map((name) => join(dir, name));
}

function firmware(): string[] {
  const folders = sh('qemu-system-x86_64', '-L', 'help').trim().split('\n');
  return ['bios-256k.bin', 'kvmvapic.bin', 'linuxboot_dma.bin', 'efi-virtio.rom'].map((name) => {
    const path = folders.map((folder) => join(folder, name)).find((each) => existsSync(each));
    if (path === undefined) throw new Error(`QEMU has no ${name}`);
    return path;
  });
}
