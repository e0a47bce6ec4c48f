import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackage } from './debian-package.ts';
import type { Container, Init } from './nspawn.ts';

/** That of the package sysvinit-core: inittab(5) says what it runs. */
export const SYSV_INIT: Init = {
  boot: ['/sbin/init'],
  comm: 'init',
  isUp: 'exec test -e /run/is-up',
  powerOff: 'exec /sbin/poweroff',
};

/** What its scripts print at boot and at shutdown, within the container. */
export const INIT_LOG = '/var/log/init.log';

/** Puts SysV init into a container that is not booted yet, with Debian's own scripts for boot and shutdown. */
export function putSysvInit(host: Container): void {
  put(host, ['sysvinit-core', 'initscripts', 'sysv-rc', 'insserv', 'startpar']);
  inside(host, ENABLE_SCRIPTS);
}

/** The same with OpenRC, which SysV init starts, in Debian's manner. */
export function putOpenRc(host: Container): void {
  const dirs = put(host, ['sysvinit-core', 'initscripts', 'insserv', 'libeinfo1', 'librc1', 'openrc']);
  inside(host, ENABLE_SCRIPTS);
  // It takes over what is enabled.
  inside(host, readFileSync(join(dirs.at(-1) ?? '', 'DEBIAN/postinst'), 'utf8'), 'configure');
}

/** Makes OpenRC's own init process 1, instead of SysV init, as it may be elsewhere than on Debian. */
export function useOpenRcInit(host: Container): void {
  // Under the name that the container is waited for.
  cpSync(join(host.dir, 'sbin/openrc-init'), join(host.dir, 'opt/init'));
  rmSync(join(host.dir, 'sbin/init'));
  host.write('/sbin/init', `#!/bin/sh\nexec /opt/init >>${INIT_LOG} 2>&1\n`, 0o755);
  host.write('/etc/init.d/is-up', IS_UP, 0o755);
  inside(host, 'exec rc-update --quiet add is-up default');
}

const IS_UP = `#!/sbin/openrc-run
depend() { after qemu-init; }
start() { touch /run/is-up; }
`;

/** Takes away all of systemd but its libraries. */
export function removeSystemd({ dir }: Container): void {
  for (const path of ['usr/lib/systemd', 'etc/systemd']) rmSync(join(dir, path), { recursive: true, force: true });
  for (const name of readdirSync(join(dir, 'usr/bin'))) {
    if (/^(systemd-|systemctl$|journalctl$)/.test(name)) rmSync(join(dir, 'usr/bin', name));
  }
}

/** All that are there, in the order that their headers ask for: insserv(8). */
const ENABLE_SCRIPTS = `set -e
cd /etc/init.d
for level in 0 1 2 3 4 5 6 S; do mkdir -p /etc/rc$level.d; done
insserv $(grep -l '^# Default-St.*: *[0-9S]' *)
`;

/** Returns where the packages are unpacked. */
function put(host: Container, packages: readonly string[]): string[] {
  // The scripts of this host's own packages are for services that no test needs.
  rmSync(join(host.dir, 'etc/init.d'), { recursive: true, force: true });
  const release = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  const dirs = packages.map((name) => debianPackage(name, `${release}-${name}`));
  for (const dir of dirs) copyFiles(dir, host.dir);
  host.write('/etc/init.d/networking', NETWORKING, 0o755);
  host.write('/etc/inittab', inittab(host.read('/usr/share/sysvinit/inittab')));
  return dirs;
}

/** Stands for the network of the host, and tells in the log when that comes and goes. */
const NETWORKING = `#!/bin/sh
### BEGIN INIT INFO
# Provides:          networking
# Required-Start:    mountkernfs $local_fs
# Required-Stop:     $local_fs
# Default-Start:     S
# Default-Stop:      0 6
# Short-Description: Stands for the network
### END INIT INFO
echo "networking $1"
`;

/** Folders of the target that are links, such as /bin, stay that; no file is written through a link. */
function copyFiles(dir: string, target: string): void {
  for (const name of readdirSync(dir).filter((entry) => entry !== 'DEBIAN')) {
    const { status, stderr } = spawnSync(
      'cp',
      ['--archive', '--remove-destination', `${join(dir, name)}/.`, `${join(target, name)}/`],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
  }
}

/** Debian's own, without terminals; what its scripts print is kept, and one more line tells when they are done. */
function inittab(text: string): string {
  const lines = text
    .split('\n')
    .filter((line) => !line.includes('getty'))
    .map((line) => (/:\/etc\/init\.d\/rc(S| \d)$/.test(line) ? `${line} >>${INIT_LOG} 2>&1` : line));
  return `${lines.join('\n')}\nup:2345:once:/bin/touch /run/is-up\n`;
}

function inside(host: Container, script: string, ...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('chroot', [host.dir, 'sh', '-c', script, 'sh', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
}
