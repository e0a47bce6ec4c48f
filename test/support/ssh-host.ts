import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debianPackage } from './debian-package.ts';
import { until } from './lab.ts';
import { repoRoot } from './repo.ts';
import { type Cleanup, tempDir } from './temp-root.ts';

/**
 * Another host: a network namespace with a real sshd, which the tools of this checkout can be reached by. It has a bridge `br0`,
 * and a cable from there to the bridge `lan` of this one.
 */
export interface SshHost {
  readonly address: string;
  /** Its folder, with `sshd_config` in it. */
  readonly dir: string;
  /** Takes its cable out, or puts it in again. */
  connect(on: boolean): void;
  /** Starts its sshd with more lines in front of its configuration, in place of the one that runs. */
  serve(lines?: string): Promise<void>;
  /** What runs a program there. */
  readonly prefix: readonly string[];
}

/** What a client of this host may change: its own files, which ssh finds in the home of its user. */
export interface SshClient {
  /** Folder of known_hosts, config and the key. */
  readonly dir: string;
}

/**
 * Makes hosts. Only in network and mount namespaces of the test's own: /run and /etc are covered, so that
 * sshd has the user and the folder that it wants, and ssh a home that is empty.
 */
export function sshHosts(
  t: Cleanup,
  count: number,
): { readonly hosts: readonly SshHost[]; readonly client: SshClient } {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const sshd = findSshd();
  sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', '/run');
  mkdirSync('/run/sshd', { mode: 0o755 });
  const home = join(dir, 'home');
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  // A folder, since a mount on a file is gone once another program of the host replaces that file.
  const [upper, work] = ['/run/etc/upper', '/run/etc/work'];
  for (const each of [upper, work]) mkdirSync(each, { recursive: true, mode: 0o755 });
  // No password fits, but the account is not locked, as it may be on the host.
  const users = readFileSync('/etc/passwd', 'utf8').replace(/^root:.*$/m, `root:x:0:0:root:${home}:/bin/sh`);
  const separation = /^sshd:/m.test(users) ? '' : 'sshd:x:65432:65534::/run/sshd:/usr/sbin/nologin\n';
  writeFileSync(join(upper, 'passwd'), `${users}${separation}`);
  writeFileSync(join(upper, 'shadow'), 'root:*:20000:0:99999:7:::\n', { mode: 0o600 });
  sh('mount', '-t', 'overlay', '-o', `lowerdir=/etc,upperdir=${upper},workdir=${work}`, 'overlay', '/etc');
  const client = { dir: join(home, '.ssh') };
  keygen(join(client.dir, 'id_ed25519'));
  writeFileSync(join(client.dir, 'authorized_keys'), readFileSync(join(client.dir, 'id_ed25519.pub')));
  sh('ip', 'link', 'add', 'lan', 'type', 'bridge');
  sh('ip', 'address', 'add', `${LAN}.254/24`, 'dev', 'lan');
  sh('ip', 'link', 'set', 'lan', 'up');
  const hosts = Array.from({ length: count }, (_, at) => makeHost(t, dir, sshd, at + 1));
  writeFileSync(
    join(client.dir, 'known_hosts'),
    hosts.map(({ address, dir: own }) => `${address} ${readFileSync(join(own, 'key.pub'), 'utf8')}`).join(''),
  );
  return { hosts, client };
}

/** First three numbers of all addresses; 254 is this host. */
export const LAN = '10.99.0';

interface Sshd {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

/** An sshd; downloaded if it is not installed, so that this comes before a test file is cut off from the network. */
export function findSshd(): Sshd {
  const installed = '/usr/sbin/sshd';
  if (existsSync(installed)) return { path: installed, env: process.env };
  // Not installed: that would start one that the whole network can reach.
  const files = debianPackage('openssh-server', 'bookworm-openssh-server');
  const wrap = debianPackage('libwrap0', 'bookworm-libwrap0');
  const path = join(files, 'usr/sbin/sshd');
  const library = ['lib', 'usr/lib'].map((folder) => join(wrap, folder, 'x86_64-linux-gnu')).join(':');
  return { path, env: { ...process.env, LD_LIBRARY_PATH: library } };
}

function makeHost(t: Cleanup, base: string, sshd: Sshd, number: number): SshHost {
  const dir = join(base, `host${number}`);
  mkdirSync(dir, { mode: 0o755 });
  keygen(join(dir, 'key'));
  const [space, link, address] = [`host${number}`, `cable${number}`, `${LAN}.${number}`];
  sh('ip', 'netns', 'add', space);
  sh('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
  sh('ip', 'link', 'set', link, 'master', 'lan', 'up');
  sh('ip', '-n', space, 'link', 'add', 'br0', 'type', 'bridge');
  sh('ip', '-n', space, 'link', 'set', 'eth0', 'master', 'br0');
  sh('ip', '-n', space, 'address', 'add', `${address}/24`, 'dev', 'br0');
  for (const each of ['lo', 'eth0', 'br0']) sh('ip', '-n', space, 'link', 'set', each, 'up');
  let daemon: ChildProcess | undefined;
  const stop = (): void => void daemon?.kill('SIGTERM');
  t.after(stop);
  const path = [join(repoRoot, 'bin'), dirname(process.execPath), process.env['PATH']].join(':');
  return {
    address,
    dir,
    connect: (on) => sh('ip', 'link', 'set', link, on ? 'up' : 'down'),
    prefix: ['ip', 'netns', 'exec', space],
    async serve(lines = '') {
      stop();
      const pidFile = join(dir, `pid${lines.length}`);
      writeFileSync(
        join(dir, 'sshd_config'),
        `${lines}
LogLevel DEBUG
ListenAddress ${address}
HostKey ${dir}/key
PidFile ${pidFile}
AuthorizedKeysFile ${base}/home/.ssh/authorized_keys
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
MaxStartups 100
SetEnv PATH=${path}
`,
      );
      const args = ['netns', 'exec', space, sshd.path, '-D', '-E', join(dir, 'log'), '-f', join(dir, 'sshd_config')];
      const own = spawn('ip', args, { env: sshd.env, stdio: 'ignore' });
      daemon = own;
      await until('sshd listens', () => {
        if (own.exitCode !== null) throw new Error(readFileSync(join(dir, 'log'), 'utf8'));
        return existsSync(pidFile) && readFileSync(pidFile, 'utf8').trim() === String(own.pid);
      });
    },
  };
}

function keygen(path: string): void {
  sh('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', path);
}

function sh(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
