import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { debianPackage } from './debian-package.ts';

/** The agent of this host, or that of its Debian; undefined when there is none. */
export const QEMU_GA = ['/usr/sbin/qemu-ga', '/usr/bin/qemu-ga'].find((path) => existsSync(path)) ?? unpacked();

/** Why no agent can be put into a guest here; false when one can. */
export const NO_QEMU_GA = QEMU_GA === undefined && 'there is no qemu-ga (Debian: qemu-guest-agent)';

/** Not installed: the agent would then serve the host on which this one runs. */
function unpacked(): string | undefined {
  try {
    const program = join(debianPackage('qemu-guest-agent'), 'usr/sbin/qemu-ga');
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return program;
  } catch {
    return undefined;
  }
}

/** That agent, with its libraries beside it, for a Linux guest of ours. */
export function agentFiles(): Record<string, Buffer> {
  const program = String(QEMU_GA);
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(?:=> |^\t)(\/\S+) \(/gm);
  const files = [program, ...[...listed].map(([, path = '']) => path)];
  return Object.fromEntries(files.map((path) => [`/bin/${basename(path)}`, readFileSync(path)]));
}

/**
 * Runs the agent there; its process is in /tmp/pid. There is no udev that would name the port, and what the agent calls for
 * a shutdown is systemd's elsewhere.
 */
export const RUN_AGENT = `
mkdir /sbin
printf '#!/bin/sh\\nsync\\npoweroff -f\\n' >/sbin/shutdown
chmod +x /sbin/shutdown
/bin/ld-linux-x86-64.so.2 --library-path /bin /bin/qemu-ga -m virtio-serial -p /dev/vport0p1 -t /tmp >/dev/ttyS0 2>&1 </dev/null &
echo $! >/tmp/pid
`;
