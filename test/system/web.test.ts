import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import type { Ran } from '../support/nspawn.ts';
import { addMachine, consoleOf, hostOfSuite, isActive, pidOf } from './machines.ts';

const SOCKET = '/run/qemu-init-web.sock';
const DROP_IN = '/etc/systemd/system/qemu-web.service.d/test.conf';

describe('the page of a host, as its units serve it', () => {
  const host = hostOfSuite();
  let token = '';

  /** What a user gets from the page: the status and the body. */
  const ask = (user: string, path: string, ...options: readonly string[]): Ran =>
    host.run(
      'user=$1; shift; cd /; exec runuser -u "$user" -- curl --silent --max-time 20 --unix-socket "$@"',
      ...[user, SOCKET, '--write-out', '\\n%{http_code}', `http://localhost:8780${path}`, ...options],
    );
  const statusOf = ({ stdout }: Ran): string => stdout.split('\n').at(-1) ?? '';
  const bearer = (): string[] => ['--header', `Authorization: Bearer ${token}`];
  const act = (path: string): string =>
    statusOf(
      ask('member', path, ...bearer(), '--request', 'POST', '--header', 'Origin: http://localhost:8780', '--data', ''),
    );
  /** The first document of the feed that has a word in it. */
  const feed = (word: string): string =>
    host.run(
      'timeout 20 curl --silent --no-buffer --unix-socket "$1" --header "$2" "http://localhost:8780/api/feed?machine=web" | grep --max-count=1 "$3"',
      ...[SOCKET, `Authorization: Bearer ${token}`, word],
    ).stdout;
  /** What a user gets from the helper of the page. */
  const askHelper = (user: string): Ran =>
    host.run(
      'cd /; exec runuser -u "$1" -- curl --silent --max-time 20 --http0.9 --unix-socket /run/qemu-init-control/socket http://localhost/',
      user,
    );
  const webIs = (): string => host.run('systemctl is-active qemu-web.service').stdout.trim();

  before(() => {
    host.sh('useradd member; useradd other; usermod --append --groups qemu-admin member');
    addMachine(host, 'web', '', { echo: true });
    // The file of a machine may be in a home folder.
    host.sh(
      'mkdir /home/member; cp /etc/qemu/web-qemu.cfg /home/member/home-qemu.cfg; cp /etc/qemu/web.img /home/member/',
    );
    host.sh('qemu-init register home /home/member/home-qemu.cfg');
    host.sh('mkdir -p /root/.ssh /var/lib/incus; echo secret | tee /root/.ssh/id >/var/lib/incus/secret');
    host.sh('systemctl daemon-reload; systemctl enable --now qemu-web.socket');
  });

  test('nothing runs until a member of qemu-admin connects, and nobody else can', () => {
    assert.equal(webIs(), 'inactive');
    assert.notEqual(ask('other', '/').code, 0);
    assert.equal(webIs(), 'inactive');
    assert.equal(statusOf(ask('member', '/')), '200');
    assert.equal(webIs(), 'active');
    assert.equal(statusOf(ask('member', '/api/info')), '401');
    assert.notEqual(host.run('cd /; runuser -u member -- qemu-init --system web --link').code, 0);
    token = host.sh('qemu-init web --link').split('token=')[1] ?? '';
    assert.match(ask('member', '/api/info', ...bearer()).stdout, /"mayAct":false.*\n200$/);
  });

  test('it shows the machines, and may only look', () => {
    assert.match(feed('"home"'), /"name":"web"[^{}]*"state":"stopped".*"name":"home"[^{}]*"state":"stopped"/);
    assert.equal(act('/api/machines/web/start'), '403');
    assert.match(ask('member', '/metrics', ...bearer()).stdout, /qemu_host_machines\{state="stopped"\} 2/);
  });

  test('its process has a user of its own, may write to nothing, and reaches no secret and no service of the host', () => {
    const pid = host.show('qemu-web.service', 'MainPID');
    assert.equal(host.sh('ps -o user= -p "$1"', pid), 'qemu-web');
    assert.equal(
      host.sh('stat -c "%a %U" /run/qemu-init-web /run/qemu-init-web/web.token'),
      '700 qemu-web\n600 qemu-web',
    );
    assert.equal(host.sh(CAPTURED, pid), '/run/qemu-init-web');
    const exposure = /: ([\d.]+) /.exec(host.run('systemd-analyze security --no-pager qemu-web | tail -1').stdout)?.[1];
    assert.ok(Number(exposure) <= 2, exposure);
    // The journal has more readers than the link.
    assert.doesNotMatch(host.sh('journalctl --sync; journalctl --no-pager -u qemu-web'), /token=/);
  });

  test('with qemu-web-control.socket it starts a machine in the unit of the machine, which outlives the page', async () => {
    host.write(DROP_IN, '[Service]\nExecStart=\nExecStart=/usr/bin/qemu-init web --system --idle 3\n');
    host.sh('systemctl daemon-reload; systemctl enable --now qemu-web-control.socket; systemctl stop qemu-web.service');
    const [COULD_NOT_CONNECT, refused] = [7, askHelper('member')];
    assert.deepEqual([refused.code, refused.stdout], [COULD_NOT_CONNECT, '']);
    assert.match(askHelper('qemu-web').stdout, /"message":"This is not a request"/);
    assert.equal(host.sh('stat -c "%a %U" /run/qemu-init-control/socket'), '600 qemu-web');
    assert.equal(act('/api/machines/web/start'), '202');
    await until(
      'the guest is up',
      () => isActive(host, 'web') === 'active' && consoleOf(host, 'web').includes('ready'),
    );
    const running = feed('"machines".*"detail"');
    assert.match(running, /"name":"web"[^{}]*"state":"running"/);
    assert.match(running, /"disks":\[\{"disk":"dsk1"/i);
    assert.match(running, /"detail":\{"name":"web","snapshots":\[\]\}/);
    assert.match(ask('member', '/metrics', ...bearer()).stdout, /qemu_host_machines\{state="running"\} 1/);
    const unit = 'systemctl list-units --no-legend "qemu-web-control@*"';
    assert.match(
      host.sh(`exec setpriv --reuid=qemu-web --regid=qemu-web --clear-groups python3 -c '${CONSOLE}'`),
      /HELLO/,
    );
    await until('the helper of the console has ended', () => host.run(unit).stdout === '');
    const pid = pidOf(host, 'web');
    assert.match(host.sh('cat "/proc/$1/cgroup"', `${pid}`), /\/qemu@web\.service$/m);
    await until('the page has ended, as nobody uses it', () => webIs() === 'inactive');
    assert.equal(isActive(host, 'web'), 'active');
    assert.equal(pidOf(host, 'web'), pid);
    assert.equal(host.run(unit).stdout, '');
  });

  test('the link stays good, a stop climbs its rungs, and the journal says who did what', async () => {
    assert.equal(act('/api/machines/web/stop'), '202');
    await until('the machine has stopped', () => isActive(host, 'web') === 'inactive');
    await until('the page has ended', () => webIs() === 'inactive');
    const journal = (unit: string): string => host.sh('journalctl --sync; journalctl --no-pager -b -u "$1"', unit);
    assert.match(journal('qemu@web'), /web: stopped by powerdown in .*: the guest switched the machine off/);
    assert.match(journal('qemu-web'), /web: web: start\b[\s\S]*web: web: stop\b/);
    // Also as those tell it who have done it.
    assert.match(journal('qemu-web-control@*'), /web: web: start\n[\s\S]*web: web: stop\n/);
    assert.equal(host.show('qemu-web.service', 'Result'), 'success');
    assert.equal(host.run('systemctl is-active qemu-web.socket').stdout.trim(), 'active');
  });
});

/** Types at the console through the helper of the page, and ends when the guest has answered. */
const CONSOLE = `
import socket
line = socket.socket(socket.AF_UNIX)
line.settimeout(60)
line.connect("/run/qemu-init-control/socket")
line.sendall(b"{\\"do\\":\\"console\\",\\"machine\\":\\"web\\"}\\n")
got = line.recv(4096)
assert got.startswith(b"{\\"open\\":true}"), got
line.sendall(b"hello\\n")
while b"HELLO" not in got:
    more = line.recv(4096)
    assert more, got
    got += more
print(got.decode())
`;

/** As the process $1, in its namespaces and with its rights: prints what it can write to, read or connect to, but should not. */
const CAPTURED = `
exec nsenter --target $1 --mount --ipc setpriv --reuid=qemu-web --regid=qemu-web --clear-groups --no-new-privs \\
  --inh-caps=-all,+dac_override,+dac_read_search --ambient-caps=-all,+dac_override,+dac_read_search \\
  --bounding-set=-all,+dac_override,+dac_read_search -- sh -c '
  for path in / /etc /etc/qemu /etc/qemu/web-qemu.cfg /etc/qemu/web.img /run /run/qemu-init /run/qemu-init/web /run/qemu-init-web \\
    /usr/bin /var/lib/qemu-init /var/log/qemu-init /home /home/member/web.img /root /dev /dev/shm /dev/hugepages /sys/fs/cgroup /proc/sys/kernel/core_pattern /etc/systemd/system; do
    if [ -d $path ]; then touch $path/x 2>/dev/null && echo $path; else (: >>$path) 2>/dev/null && echo $path; fi
  done
  for path in /etc/shadow /etc/shadow- /etc/ssh/sshd_config /root/.ssh/id /var/lib/incus/secret /etc/sudoers; do
    [ -z "$(cat $path 2>/dev/null)" ] || echo $path
  done
  for path in /run/systemd/private /run/dbus/system_bus_socket /run/systemd/notify /dev/pts/ptmx; do
    [ ! -e $path ] || echo $path
  done; rm -f /run/qemu-init-web/x; true'`;
