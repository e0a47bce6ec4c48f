import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import type { Container } from '../support/nspawn.ts';
import { addMachine, consoleOf, hostOfSuite, isActive, pidOf } from './machines.ts';

interface Finding {
  readonly severity: string;
  readonly machine: string | null;
  readonly title: string;
  readonly fix: string;
}

describe('the surroundings of machines on a host with systemd', () => {
  const host = hostOfSuite();

  test('doctor tells of units of another version', () => {
    addMachine(host, 'web', 'AUTOSTART=on\n');
    host.sh('systemctl daemon-reload');
    assert.deepEqual(examined(host), { code: 0, errors: [], warnings: [] });
    host.sh(
      'systemctl stop qemu-reload.path; sed -i "s/^TimeoutStopSec=.*/TimeoutStopSec=5/" /usr/lib/systemd/system/qemu@.service',
    );
    assert.ok(examined(host).warnings.includes('Units are not current'));
    host.sh('systemctl daemon-reload; qemu-init install');
    assert.deepEqual(examined(host), { code: 0, errors: [], warnings: [] });
  });

  test('doctor tells of a unit that systemd would kill too early, and of machines that nothing starts', () => {
    const dropIn = '/etc/systemd/system/qemu@web.service.d/90-mine.conf';
    host.write(dropIn, '[Service]\nTimeoutStopSec=10\n');
    host.sh('systemctl daemon-reload; systemctl --quiet disable qemu.target');
    const { code, errors } = examined(host);
    assert.equal(code, 1);
    assert.deepEqual(errors, ['Machines do not start at boot', 'web: The unit allows too little time to stop']);
    host.sh(`rm ${dropIn}; systemctl daemon-reload; systemctl --quiet enable qemu.target`);
  });

  test('doctor tells of images that QEMU may not write, as QEMU then does', () => {
    host.sh('chown root /etc/qemu/web.img; chmod 640 /etc/qemu/web.img');
    assert.deepEqual(examined(host).errors, [
      'web: User "qi-web", which QEMU runs as, may not write "/etc/qemu/web.img"',
    ]);
    assert.match(host.run('qemu-init start web').stderr, /Permission denied/);
    host.sh('chown qemu /etc/qemu/web.img; systemctl reset-failed');
    assert.deepEqual(examined(host).errors, []);
    addMachine(host, 'whose', 'RUNAS=nobody-knows\n');
    assert.deepEqual(examined(host).errors, ['whose: User "nobody-knows" does not exist on this host']);
    host.sh('rm /etc/qemu/whose-qemu.cfg; sed -i /^whose=/d /etc/qemu/qemu-init.reg');
  });

  test('doctor tells of files that let others have programs run as root', () => {
    host.sh('chmod o+w /etc/qemu/web-qemu.cfg');
    assert.deepEqual(examined(host).errors, ['Others may change the configuration']);
    host.sh('chmod o-w /etc/qemu/web-qemu.cfg');
  });

  test('the init script does what the units do, and systemd makes no service of it', () => {
    host.sh('update-rc.d qemu-init defaults; systemctl daemon-reload');
    assert.equal(host.show('qemu-init.service', 'LoadState'), 'masked');
    const script = (action: string): number => host.run(`/etc/init.d/qemu-init ${action}`).code;
    assert.equal(script('status'), 3);
    assert.equal(script('start'), 0);
    const pid = pidOf(host, 'web');
    assert.equal(isActive(host, 'web'), 'active');
    assert.equal(host.show('qemu@web', 'MainPID'), `${pid}`);
    assert.equal(script('start'), 0);
    assert.equal(pidOf(host, 'web'), pid);
    assert.equal(script('status'), 0);
  });

  test('a host with the init script and the units starts its machines once, and stops them', async () => {
    await host.powerOff();
    await host.boot();
    assert.equal(isActive(host, 'web'), 'active');
    assert.equal(host.run('pgrep --count qemu-system').stdout, '1\n');
    assert.equal(host.run('/etc/init.d/qemu-init stop').code, 0);
    assert.equal(host.run('/etc/init.d/qemu-init stop').code, 0);
    assert.equal(isActive(host, 'web'), 'inactive');
  });

  test('logrotate turns over a console log that QEMU has open, and QEMU goes on writing to it', async () => {
    // The log has what earlier runs printed, too.
    host.sh('qemu-init start web; qemu-init wait web --for "console=ready\n"');
    const log = '/var/log/qemu-init/web.console';
    const before = host.sh(`stat -c "%U %a" ${log}`);
    host.sh(`head -c 5000000 /dev/zero >>${log}`);
    const { code, stderr } = host.run('logrotate --state /run/rotated /etc/logrotate.d/qemu-init');
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.ok(Number(host.sh(`stat -c %s ${log}.1`)) > 5_000_000);
    assert.equal(consoleOf(host, 'web'), '');
    host.sh('qemu-init reset web');
    await until('the guest is up again', () => consoleOf(host, 'web').includes('ready'));
    assert.ok(consoleOf(host, 'web').length < 1000);
    assert.equal(host.sh(`stat -c "%U %a" ${log}`), before);
    host.sh('qemu-init stop --force web');
  });

  test('install writes the Node.js that runs it into the tools, and doctor tells when that is gone', () => {
    const node = putNode(host, '/opt/node 20/bin/node');
    assert.match(host.run('"$1" /opt/package/bin/qemu-init install', node).stderr, /has blanks in its path/);
    const own = putNode(host, '/opt/node-20/bin/node');
    host.sh('"$1" /opt/package/bin/qemu-init install', own);
    assert.equal(host.sh('head -1 /usr/lib/qemu-init/bin/qemu-init'), `#!${own}`);
    // What a service has for its PATH.
    assert.equal(host.run('env -i PATH=/nowhere /usr/bin/qemu-init --version').code, 0);
    host.sh('systemctl start qemu@web; systemctl stop qemu@web');
    assert.deepEqual(examined(host), { code: 0, errors: [], warnings: [] });
    host.sh('umount "$1" && rm "$1"', own);
    const { code, errors } = examined(host, `${process.execPath} /opt/package/bin/qemu-init`);
    assert.deepEqual({ code, errors }, { code: 1, errors: ['Node.js of the installed tools does not work'] });
    assert.notEqual(host.run('systemctl start qemu@web').code, 0);
    host.sh('"$1" /opt/package/bin/qemu-init install; systemctl reset-failed', process.execPath);
    assert.deepEqual(examined(host), { code: 0, errors: [], warnings: [] });
  });

  test('install refuses a Node.js that others may change or that services cannot reach, and says what to do', () => {
    host.sh('id keeper >/dev/null 2>&1 || useradd --create-home keeper');
    const home = putNode(host, '/home/keeper/.nvm/bin/node');
    const theirs = putNode(host, '/opt/theirs/bin/node');
    host.sh('chown keeper /opt/theirs');
    const closed = putNode(host, '/opt/closed/bin/node');
    host.sh('chmod 700 /opt/closed');
    const before = host.sh('md5sum /usr/lib/qemu-init/bin/qemu-init');
    for (const [path, reason] of [
      [home, /"\/home\/keeper" belongs to user "keeper"/],
      [theirs, /"\/opt\/theirs" belongs to user "keeper"/],
      [closed, /"\/opt\/closed" can be used by its owner only/],
    ] as const) {
      const { code, stderr } = host.run('"$1" /opt/package/bin/qemu-init install', path);
      assert.equal(code, 4, stderr);
      assert.match(stderr, reason);
      assert.match(stderr, /hint: .*apt install nodejs/);
    }
    assert.equal(host.sh('md5sum /usr/lib/qemu-init/bin/qemu-init'), before);
  });

  test('an installation below another prefix works the same, and leaves as little', () => {
    host.sh('qemu-init uninstall');
    host.sh('"$1" /opt/package/bin/qemu-init install --prefix /opt/mine', process.execPath);
    assert.equal(host.sh('systemctl is-enabled qemu.target'), 'enabled');
    assert.deepEqual(examined(host, '/opt/mine/bin/qemu-init'), { code: 0, errors: [], warnings: [] });
    host.sh('/opt/mine/bin/qemu-init start web');
    assert.equal(isActive(host, 'web'), 'active');
    host.sh('systemctl stop qemu@web; /opt/mine/bin/qemu-init uninstall');
    assert.equal(host.sh('find /opt/mine /usr/local/lib /etc/polkit-1 -name "*qemu*" 2>/dev/null || true'), '');
  });
});

/** The Node.js of the tests at another path, as nvm, asdf or a tarball have it. */
function putNode(host: Container, path: string): string {
  host.sh('mkdir -p "$(dirname "$1")"; touch "$1"; mount --bind "$(readlink -f "$2")" "$1"', path, process.execPath);
  return path;
}

function examined(
  host: Container,
  tool = 'qemu-init',
): { code: number; errors: readonly string[]; warnings: readonly string[] } {
  const { code, stdout } = host.run(`${tool} doctor --json`);
  const findings: readonly Finding[] = JSON.parse(stdout);
  const titles = (severity: string): string[] =>
    findings
      .filter((each) => each.severity === severity)
      .map(({ machine, title }) => (machine === null ? title : `${machine}: ${title}`));
  for (const { fix } of findings) assert.notEqual(fix, '');
  return { code, errors: titles('error'), warnings: titles('warning') };
}
