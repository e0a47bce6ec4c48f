import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import { type Container, container } from '../support/nspawn.ts';
import { repoRoot } from '../support/repo.ts';
import { tempDir } from '../support/temp-root.ts';
import { addMachine, consoleOf, isActive, pidOf } from './machines.ts';

describe('the Debian package', () => {
  const cleanup = { after };
  const dir = tempDir(cleanup);
  const host = container(cleanup);
  let deb = '';

  before(async () => {
    deb = execFileSync(process.execPath, [join(repoRoot, 'scripts/deb.mjs'), dir], { encoding: 'utf8' }).trim();
    await host.boot();
    host.sh('mkdir -p /root/deb');
    execFileSync('cp', [deb, join(host.dir, 'root/deb')]);
    haveNode(host);
  });

  test('lintian finds no error in it', () => {
    const { stdout, error } = spawnSync('lintian', ['--allow-root', '--fail-on', 'error', deb], { encoding: 'utf8' });
    assert.ifError(error);
    assert.doesNotMatch(stdout, /^E:/m);
  });

  test('apt installs it, with the user, the folders and the units', () => {
    install(host, deb);
    assert.match(host.sh('id qemu'), /\(kvm\)/);
    assert.equal(host.sh('stat -c "%a %U" /var/lib/qemu-init'), '711 root');
    assert.equal(host.sh('systemctl is-enabled qemu.target'), 'enabled');
    assert.equal(host.sh('systemctl is-active qemu-reload.path'), 'active');
    assert.equal(host.run('systemd-analyze verify --man=no qemu@web.service').stderr, '');
    assert.match(host.sh('man -w qemu-init'), /qemu-init\.8\.gz$/);
    host.sh(
      'cd /usr/share/doc/qemu-init; test -s README.md -a -s CHANGELOG.md -a -s docs/network.md -a -s docs/coming-from.md',
    );
    assert.equal(host.run('qemu-init doctor').code, 0, host.run('qemu-init doctor').stdout);
  });

  test('machines run, come up at boot, and live through an upgrade', async () => {
    addMachine(host, 'web', 'AUTOSTART=on\n');
    host.sh('qemu-init start web');
    assert.match(host.sh('ps -o user= -p "$1"', `${pidOf(host, 'web')}`), /^qi-web/);
    await until('the guest is up', () => consoleOf(host, 'web').includes('ready'));
    await host.powerOff();
    await host.boot();
    assert.equal(isActive(host, 'web'), 'active');
    const pid = pidOf(host, 'web');
    host.sh('echo "STOPDELAY=7" >>/etc/qemu/defaults-qemu.cfg');
    host.sh('systemctl stop qemu-strays.service');
    install(host, deb, '--reinstall');
    await until(
      'machines without a unit are seen to',
      () => host.show('qemu-strays.service', 'ActiveState') === 'active',
    );
    assert.equal(pidOf(host, 'web'), pid);
    assert.equal(isActive(host, 'web'), 'active');
    assert.match(host.read('/etc/qemu/defaults-qemu.cfg'), /^STOPDELAY=7$/m);
  });

  test('qemu-init install leaves what the package owns alone, and so does uninstall', () => {
    host.sh('mkdir -p /opt/package');
    for (const name of ['bin', 'dist', 'etc', 'systemd', 'package.json', 'LICENSE'])
      execFileSync('cp', ['--recursive', join(repoRoot, name), join(host.dir, 'opt/package')]);
    const intact = host.run('dpkg --verify qemu-init').stdout;
    for (const tool of ['qemu-init', '/usr/bin/node /opt/package/bin/qemu-init']) {
      const { code, stderr } = host.run(`${tool} install --prefix /usr`);
      assert.equal(code, 4, stderr);
      assert.match(stderr, /belongs to the package "qemu-init"/);
      assert.equal(host.run(`${tool} uninstall --prefix /usr`).code, 0);
    }
    // A manifest of an installation that was there before the package.
    host.sh(
      'echo \'{"version":"0","written":{"/usr/bin/qemu-init":"-> ../lib/qemu-init/bin/qemu-init"},"folders":[]}\' >/usr/lib/qemu-init/installed.json',
    );
    host.sh('qemu-init uninstall');
    host.sh('/usr/bin/node /opt/package/bin/qemu-init install --prefix /usr/local');
    host.sh('/usr/local/bin/qemu-init uninstall');
    assert.equal(host.run('dpkg --verify qemu-init').stdout, intact);
    assert.equal(host.sh('systemctl is-enabled qemu.target'), 'enabled');
    assert.equal(isActive(host, 'web'), 'active');
    assert.equal(host.run('ls -d /usr/local/lib/qemu-init').stdout, '');
  });

  test('removing it stops the machines, and purging it leaves what is not its own', async () => {
    const pid = pidOf(host, 'web');
    host.sh('DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --yes remove qemu-init');
    assert.equal(host.run('test -e "/proc/$1"', `${pid}`).code, 1);
    assert.equal(host.run('command -v qemu-init').code, 127);
    host.sh('DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --yes purge qemu-init');
    assert.deepEqual(host.sh('ls -A -I "fsfreeze-hook*" /etc/qemu').split('\n'), ['web-qemu.cfg', 'web.img']);
    assert.equal(host.run('find /usr/lib /usr/bin /usr/share /etc -path "*qemu-init*" ! -path "*/dpkg/*"').stdout, '');
  });
});

function install(host: Container, deb: string, ...options: readonly string[]): void {
  const words = ['--quiet=2', '--yes', '--no-install-recommends', ...options];
  host.sh(`DEBIAN_FRONTEND=noninteractive apt-get install ${words.join(' ')} "/root/deb/$1" </dev/null`, basename(deb));
}

/** A host may have its Node from elsewhere, which dpkg does not know. */
function haveNode(host: Container): void {
  if (host.run('dpkg-query --show nodejs').code === 0) return;
  const version = process.versions.node;
  host.write(
    '/root/nodejs/DEBIAN/control',
    `Package: nodejs\nVersion: ${version}\nArchitecture: all\nMaintainer: nobody <nobody@invalid>\nDescription: is there\n`,
  );
  host.sh('dpkg-deb --build /root/nodejs /root/deb/nodejs.deb && dpkg --install /root/deb/nodejs.deb');
  host.sh('test -e /usr/bin/node || ln -s "$1" /usr/bin/node', process.execPath);
}
