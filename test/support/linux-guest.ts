import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CpioEntry, cpioArchive } from './cpio.ts';
import { debianKernel, type KernelFlavour } from './debian-kernel.ts';

/** What the guest prints on its serial port once it is up; a root shell on the same port follows. */
export const LINUX_READY = 'qemu-init linux guest ready';

/** What it prints before the address that DHCP gave to its first NIC. */
export const LINUX_ADDRESS = 'qemu-init linux guest address';

/** Longest wait for a step of a Linux guest, such as its boot: it has no KVM, and may have a tenth of a processor. */
export const GUEST_MS = 240_000;

export interface LinuxGuestOptions {
  readonly kernel?: KernelFlavour | undefined;
  /** Shell text that runs as root before {@link LINUX_READY} is printed. */
  readonly script?: string | undefined;
  /** Kernel modules besides those for virtio disks and NICs, the agent's channel and the power button. */
  readonly modules?: readonly string[] | undefined;
  /** Files to add, by absolute path in the guest; their folders must be there: /bin, /etc, /root or /tmp. */
  readonly files?: Readonly<Record<string, string | Buffer>> | undefined;
}

/** For KERNEL, INITRD and APPEND of a machine's file, or `-kernel`, `-initrd` and `-append`. */
export interface LinuxGuest {
  readonly kernel: string;
  readonly initrd: string;
  readonly append: string;
}

const MODULES = ['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_console', 'button', 'evdev'];

/** A real Linux guest without a disk: a kernel of Debian and a busybox. Its initramfs is written into `dir`. */
export function linuxGuest(dir: string, options: LinuxGuestOptions = {}): LinuxGuest {
  const kernel = debianKernel(options.kernel);
  const modules = kernel.modulesFor([...MODULES, ...(options.modules ?? [])]);
  const initrd = join(dir, 'initrd');
  writeFileSync(initrd, cpioArchive(initramfs(modules, options)));
  // The rest keeps Linux from measuring what emulation makes slow, and ends QEMU when it panics. On a busy host it would find
  // that its timer does not tick, and panic.
  const append = 'console=ttyS0 quiet panic=1 mitigations=off tsc=reliable random.trust_cpu=on no_timer_check';
  return { kernel: kernel.image, initrd, append };
}

function initramfs(modules: ReadonlyMap<string, Uint8Array>, { script, files }: LinuxGuestOptions): CpioEntry[] {
  const folders = ['bin', 'dev', 'etc', 'etc/acpi', 'etc/acpi/PWRF', 'modules', 'proc', 'root', 'run', 'sys', 'tmp'];
  const order = [...modules.keys()].map((name) => `insmod /modules/${name}.ko`).join('\n');
  return [
    ...folders.map((path): CpioEntry => ({ kind: 'folder', path })),
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', mode: 0o755, data: readFileSync('/bin/busybox') },
    ...['sh', 'mount', 'insmod'].map((name): CpioEntry => ({ kind: 'link', path: `bin/${name}`, target: 'busybox' })),
    ...[...modules].map(([name, data]): CpioEntry => ({ kind: 'file', path: `modules/${name}.ko`, data })),
    text('init', initScript(order, script ?? '')),
    text('etc/shell', SHELL),
    text('etc/udhcpc', UDHCPC),
    // The name is fixed in busybox: acpid runs it for the key KEY_POWER.
    text('etc/acpi/PWRF/00000080', '#!/bin/sh\nsync\npoweroff -f\n'),
    ...Object.entries(files ?? {}).map(([path, content]) => text(path.replace(/^\//, ''), content)),
  ];
}

function text(path: string, content: string | Buffer): CpioEntry {
  return { kind: 'file', path, mode: 0o755, data: Buffer.from(content) };
}

function initScript(loadModules: string, script: string): string {
  return `#!/bin/sh
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
${loadModules}
busybox --install -s /bin
acpid -l /dev/null
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
  ip link set eth0 up
  udhcpc -i eth0 -b -S -s /etc/udhcpc >/dev/null 2>&1 </dev/null &
fi
${script}
echo '${LINUX_READY}' >/dev/ttyS0
while true; do setsid /etc/shell </dev/ttyS0 >/dev/ttyS0 2>&1; done
`;
}

const SHELL = `#!/bin/sh
cd /root
PS1='guest# ' exec cttyhack sh
`;

const UDHCPC = `#!/bin/sh
case $1 in
  deconfig)
    # Also called at the start, when a test may have given it an address of its own already.
    [ ! -e /etc/lease ] || ip address del "$(cat /etc/lease)" dev "$interface"
    rm -f /etc/lease
    ;;
  bound | renew)
    ip address replace "$ip/$mask" dev "$interface"
    echo "$ip/$mask" >/etc/lease
    [ -z "$router" ] || ip route replace default via "\${router%% *}"
    [ -z "$dns" ] || echo "nameserver \${dns%% *}" >/etc/resolv.conf
    [ "$1" = renew ] || echo "${LINUX_ADDRESS} $ip" >/dev/ttyS0
    ;;
esac
`;
