import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repoRoot } from './repo.ts';
import type { Cleanup } from './temp-root.ts';

/** What a command in the container printed, and its exit status. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is process 1 of a container. */
export interface Init {
  /** The last words of systemd-nspawn's command line. */
  readonly boot: readonly string[];
  /** Its name in /proc/1/comm. */
  readonly comm: string;
  /** Shell script that succeeds once nothing is left to do at boot. */
  readonly isUp: string;
  /** Shell script that has it end everything. */
  readonly powerOff: string;
}

export const SYSTEMD: Init = {
  boot: ['--boot'],
  comm: 'systemd',
  isUp: 'state=$(systemctl is-system-running --wait); echo "$state"; [ "$state" = running ] || [ "$state" = degraded ]',
  powerOff: 'systemctl poweroff',
};

/** A host of its own: this one's files with everything that is written kept apart, booted by an init of its own. */
export interface Container {
  /** Its `/`, as seen from here. */
  readonly dir: string;
  /** Writes a file, given by its absolute path inside. */
  write(path: string, text: string | Uint8Array, mode?: number): void;
  read(path: string): string;
  /** Boots it, and returns when its init has nothing left to do. */
  boot(): Promise<void>;
  /** Runs a shell script inside, with its arguments as $1, $2 …, whatever its exit status. */
  run(script: string, ...args: readonly string[]): Ran;
  /** The same, which has to succeed; returns what it printed, without the last end of line. */
  sh(script: string, ...args: readonly string[]): string;
  /** The value of a property of a unit. */
  show(unit: string, property: string): string;
  /** Its process 1, as a pid of this host; 0 while it is not booted. */
  leader(): number;
  /** Has its init end it; returns when all of it is gone. */
  powerOff(): Promise<void>;
  /** Pulls the plug: every process in it ends at once. */
  cut(): Promise<void>;
}

const BOOT_MS = 60_000;
const POWEROFF_MS = 90_000;
/** For a script, which may install packages. */
const RUN_MS = 300_000;

/** Units that no test needs. */
const UNWANTED = ['multi-user', 'timers', 'getty', 'sysinit'].map((name) => `/etc/systemd/system/${name}.target.wants`);

/** What a container has besides this host's files. */
export interface Surroundings {
  /** Folders of files that lie over those of this host, the first on top, none of them below `/` itself. */
  readonly layers?: readonly string[];
  /** Folder with a whole system, which it has in place of this host's files, and all units of which it boots. */
  readonly system?: string | undefined;
  /** Bridge that its interface `host0` is connected to, and the network namespace that this is in; otherwise it has only `lo`. */
  readonly network?: { readonly namespace: string; readonly bridge: string };
  /** More options of systemd-nspawn. */
  readonly options?: readonly string[];
  /** Hierarchies of cgroups version 1, such as `memory`, in which its systemd may limit units. Others it only reads. */
  readonly controllers?: readonly string[];
}

/** A container that is not booted yet. It is ended and removed afterwards. Needs root and systemd-nspawn. */
export function container(t: Cleanup, init: Init = SYSTEMD, around: Surroundings = {}): Container {
  const base = mkdtempSync(join(tmpdir(), 'qi-'));
  const dir = join(base, 'm');
  const cgroups = ownCgroups(`qi-${basename(base)}`, around.controllers ?? []);
  let nspawn: ChildProcess | undefined;
  let leader = 0;

  const end = async (): Promise<void> => {
    if (nspawn && nspawn.exitCode === null && nspawn.signalCode === null) {
      const ended = once(nspawn, 'exit');
      if (leader > 0 && existsSync(`/proc/${leader}`)) process.kill(leader, 'SIGKILL');
      await ended;
    }
    nspawn = undefined;
    leader = 0;
    for (const cgroup of cgroups) await removeCgroup(cgroup);
  };
  t.after(async () => {
    await end();
    spawnSync('umount', ['--recursive', base]);
    rmSync(base, { recursive: true, force: true });
  });

  mount('-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', base);
  for (const folder of ['u', 'w', 'm']) mkdirSync(join(base, folder));
  mount(
    '-t',
    'overlay',
    '-o',
    `lowerdir=${[...(around.layers ?? []), around.system ?? '/'].join(':')},upperdir=${base}/u,workdir=${base}/w`,
    'overlay',
    dir,
  );
  if (around.system === undefined) removeUnwanted(dir);

  const run = (script: string, ...args: readonly string[]): Ran => {
    assert.ok(leader > 0, 'the container is booted');
    const inside = ['--target', `${leader}`, '--all', '--', 'env', '-i', ...ENVIRONMENT];
    const { status, stdout, stderr, error } = spawnSync('nsenter', [...inside, 'sh', '-c', script, 'sh', ...args], {
      encoding: 'utf8',
      timeout: RUN_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (error !== undefined) throw error;
    return { code: status ?? -1, stdout, stderr };
  };
  const sh = (script: string, ...args: readonly string[]): string => {
    const { code, stdout, stderr } = run(script, ...args);
    assert.equal(code, 0, `${script}: ${stdout}${stderr}`);
    return stdout.replace(/\n$/, '');
  };

  return {
    dir,
    run,
    sh,
    write(path, text, mode = 0o644) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text, { mode });
    },
    read: (path) => readFileSync(join(dir, path), 'utf8'),
    show: (unit, property) => sh('exec systemctl show --value --property "$2" "$1"', unit, property),
    async boot() {
      const log = openSync(join(base, 'console'), 'a');
      const { network, options: further = [] } = around;
      const net = network ? ['--network-veth', `--network-bridge=${network.bridge}`] : ['--private-network'];
      const options = ['--register=no', '--keep-unit', ...net, '--console=pipe'];
      const more = ['--link-journal=no', `--machine=qi-${basename(base).slice(3)}`, '--bind=/dev/net/tun', ...further];
      for (const cgroup of cgroups) mkdirSync(cgroup, { recursive: true });
      // Not `ip netns exec`, which mounts a /sys in which systemd-nspawn does not find the cgroups.
      const enter = network ? ['nsenter', `--net=/run/netns/${network.namespace}`] : [];
      const command = [...enter, 'systemd-nspawn', '--quiet', '--directory', dir, ...options, ...more, ...init.boot];
      nspawn = spawn('sh', ['-c', JOIN_CGROUPS, 'sh', ...cgroups, '--', ...command], { stdio: ['ignore', log, log] });
      closeSync(log);
      leader = await waitForLeader(nspawn, init);
      await waitForBoot(run, init);
      for (const name of around.controllers ?? []) sh('mount -o remount,bind,rw "/sys/fs/cgroup/$1"', name);
    },
    leader: () => leader,
    async powerOff() {
      assert.ok(nspawn, 'the container is booted');
      const off = once(nspawn, 'exit', { signal: AbortSignal.timeout(POWEROFF_MS) });
      run(init.powerOff);
      await off;
      await end();
    },
    cut: end,
  };
}

function removeUnwanted(dir: string): void {
  for (const path of UNWANTED) rmSync(join(dir, path), { recursive: true, force: true });
  for (const name of readdirSync(join(dir, 'etc')).filter((entry) => /^rc.\.d$/.test(entry))) {
    rmSync(join(dir, 'etc', name), { recursive: true });
  }
}

const ENVIRONMENT = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'LC_ALL=C.UTF-8',
  'SYSTEMD_PAGER=',
];

/** Copies the built package into a container that is booted, and has it install itself. Returns what that printed. */
export function installProject(host: Container): string {
  copyProject(host, PACKAGE);
  return host.sh('exec "$1" "$2/bin/qemu-init" install', process.execPath, PACKAGE);
}

/** Copies the built package into a folder of a container that is booted. */
export function copyProject(host: Container, folder: string): void {
  for (const name of PACKAGED) {
    if (existsSync(join(repoRoot, name)))
      cpSync(join(repoRoot, name), join(host.dir, folder, name), { recursive: true });
  }
}

const PACKAGE = '/opt/package';
const PACKAGED = ['bin', 'dist/bin', 'dist/man', 'dist/web', 'etc', 'systemd', 'package.json', 'LICENSE'];

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  assert.equal(status, 0, `mount ${args.join(' ')}: ${stderr}`);
}

/** Puts itself into the cgroups before `--` and becomes the program behind it. */
const JOIN_CGROUPS = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"';

/**
 * Cgroups below this process's own, in the hierarchies that systemd keeps its units in (cgroups(7)). With --keep-unit all
 * containers of one cgroup share what their systemds make in it, and each would remove the cgroups of the others' units.
 */
function ownCgroups(name: string, wanted: readonly string[]): string[] {
  const own = new Map(
    readFileSync('/proc/self/cgroup', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([, controllers = '', path = '']) => [controllers, path]),
  );
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const mountPoint = before.split(' ')[4] ?? '';
      const [type, , options = ''] = after.split(' ');
      const isNamed = type === 'cgroup' && options.split(',').includes('name=systemd');
      const controller = type === 'cgroup' ? wanted.find((each) => options.split(',').includes(each)) : undefined;
      const path = own.get(isNamed ? 'name=systemd' : type === 'cgroup2' ? '' : (controller ?? 'none'));
      return path === undefined ? [] : [join(mountPoint, path, name)];
    });
}

/** A cgroup is removed from the inside out, by rmdir(2) alone, and not before the last process in it is gone. */
async function removeCgroup(path: string): Promise<void> {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeCgroup(join(path, entry.name));
  }
  const deadline = Date.now() + POWEROFF_MS;
  while (Date.now() < deadline && readFileSync(join(path, 'cgroup.procs'), 'utf8') !== '') await sleep(20);
  rmdirSync(path);
}

/** The container's process 1, as a pid of this host. */
async function waitForLeader(nspawn: ChildProcess, { comm }: Init): Promise<number> {
  const deadline = Date.now() + BOOT_MS;
  while (Date.now() < deadline && nspawn.exitCode === null) {
    const children = readFileSync(`/proc/${nspawn.pid}/task/${nspawn.pid}/children`, 'utf8').trim().split(' ');
    const pid = Number(children[0]);
    if (pid > 0 && readFileSync(`/proc/${pid}/comm`, 'utf8') === `${comm}\n`) return pid;
    await sleep(20);
  }
  throw new Error('The container did not come up');
}

async function waitForBoot(run: Container['run'], { isUp }: Init): Promise<void> {
  const deadline = Date.now() + BOOT_MS;
  for (let last = run(isUp); last.code !== 0; last = run(isUp)) {
    if (Date.now() > deadline) throw new Error(`Not up after ${BOOT_MS} ms: ${last.stdout}${last.stderr}`);
    await sleep(50);
  }
}
