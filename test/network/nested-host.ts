import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repoRoot } from '../support/repo.ts';
import type { Cleanup } from '../support/temp-root.ts';
import { type Guest, type HostGuests, linuxHost } from './machines.ts';
import { sh } from './shell.ts';

/** What a nested host consists of. */
export interface NestedOptions extends HostGuests {
  /** Lines of its machine's file. */
  readonly hardware: readonly string[];
  /** The section [custom] of that file, which may name its folder. */
  readonly custom?: (dir: string) => readonly string[];
  /** Files of this host that it has, too, by their places there. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * A Linux guest that is itself a host: it has Node, QEMU, iproute2 and the tools under test, and its kernel has what the
 * kernel of the tests may lack, such as bridges that filter VLANs, vhost, or drivers for devices that are emulated for it.
 * Its own machines cost many times what they cost here, unless they use a KVM that it has.
 */
export async function nestedHost(t: Cleanup, options: NestedOptions): Promise<Guest> {
  const outer = linuxHost(t, options);
  packHost(join(outer.dir, 'host.tar'), options.files);
  const disk = `DSK1=${join(outer.dir, 'host.tar')},format=raw,readonly=on`;
  const custom = options.custom?.(outer.dir) ?? [];
  outer.register('host', [...options.hardware, disk, ...(custom.length > 0 ? ['[custom]', ...custom] : [])]);
  const [host] = await outer.start('host');
  if (host === undefined) throw new Error('The nested host did not start');
  await host.sh('tar -x -C / -f /dev/vda; ln -s /bin/busybox /usr/bin/env; mkdir -p /etc/qemu');
  // A program of busybox takes a plain name for another one of busybox, and its setpriv can do less.
  await host.sh(`ln -sf ${pathOf('dash')} /bin/sh`);
  // What KVM has to say would stand among the answers.
  await host.sh('echo 1 >/proc/sys/kernel/printk; ip link set lo up');
  await host.sh(`export NO_COLOR=1 PATH=/qemu-init/bin:${dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin`);
  // The one of the console is still that.
  await host.sh(`ip() { ${pathOf('ip')} "$@"; }; bridge() { ${pathOf('bridge')} "$@"; }`);
  return host;
}

/** A tar file is a disk as good as any: its size is a multiple of 512 bytes, and its end is marked. */
function packHost(tarPath: string, files: Readonly<Record<string, string>>): void {
  const names = ['qemu-system-x86_64', 'ip', 'bridge', 'prlimit', 'setpriv', 'unshare', 'dash'];
  const programs = [process.execPath, ...names.map(pathOf), ...modulesOfQemu()];
  const tools = ['bin', 'dist', 'package.json'].map((name) => join(repoRoot, name));
  const moves = [[repoRoot, '/qemu-init'], ...Object.entries(files).map(([to, from]) => [from, to])];
  execFileSync('tar', [
    ...['--create', '--dereference', '--absolute-names', `--file=${tarPath}`],
    ...moves.map(([from, to]) => `--transform=s,^${from},${to},`),
    ...new Set([...programs, ...programs.flatMap(librariesOf), ...firmware(), ...tools]),
    ...Object.values(files),
  ]);
}

function pathOf(program: string): string {
  return sh('sh', '-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`).trim();
}

function librariesOf(path: string): string[] {
  return [...sh('ldd', path).matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
}

/** QEMU's modules without which it does not even say what it can do, and that of USB devices of the host. */
function modulesOfQemu(): string[] {
  const dir = '/usr/lib/x86_64-linux-gnu/qemu';
  return readdirSync(dir)
    .filter((name) => name.startsWith('accel-') || name === 'hw-usb-host.so')
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
