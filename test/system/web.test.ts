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
  const webIs = (): string => host.run('systemctl is-active qemu-web.service').stdout.trim();

  before(() => {
    host.sh('useradd member; useradd other; usermod --append --groups qemu-admin member');
    addMachine(host, 'web');
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
    const feed = host.run(
      'timeout 20 curl --silent --no-buffer --unix-socket "$1" --header "$2" http://localhost:8780/api/feed | grep --max-count=1 machines',
      ...[SOCKET, `Authorization: Bearer ${token}`],
    );
    assert.match(feed.stdout, /"name":"web".*"state":"stopped"/);
    assert.equal(act('/api/machines/web/start'), '403');
    assert.match(ask('member', '/metrics', ...bearer()).stdout, /qemu_host_machines\{state="stopped"\} 1/);
  });

  test('with --allow-control it starts a machine in the unit of the machine, which outlives the page', async () => {
    const command = '/usr/bin/qemu-init web --system --idle 3 --allow-control';
    host.write(DROP_IN, `[Service]\nExecStart=\nExecStart=${command}\n`);
    host.sh('systemctl daemon-reload; systemctl stop qemu-web.service');
    assert.equal(act('/api/machines/web/start'), '202');
    await until(
      'the guest is up',
      () => isActive(host, 'web') === 'active' && consoleOf(host, 'web').includes('ready'),
    );
    const pid = pidOf(host, 'web');
    assert.match(host.sh('cat "/proc/$1/cgroup"', `${pid}`), /\/qemu@web\.service$/m);
    await until('the page has ended, as nobody uses it', () => webIs() === 'inactive');
    assert.equal(isActive(host, 'web'), 'active');
    assert.equal(pidOf(host, 'web'), pid);
  });

  test('the link stays good, a stop climbs its rungs, and the journal says who did what', async () => {
    assert.equal(act('/api/machines/web/stop'), '202');
    await until('the machine has stopped', () => isActive(host, 'web') === 'inactive');
    await until('the page has ended', () => webIs() === 'inactive');
    const journal = (unit: string): string => host.sh('journalctl --sync; journalctl --no-pager -b -u "$1"', unit);
    assert.match(journal('qemu@web'), /web: the guest switched the machine off/);
    assert.match(journal('qemu-web'), /web: web: start\b[\s\S]*web: web: stop\b/);
    assert.equal(host.show('qemu-web.service', 'Result'), 'success');
    assert.equal(host.run('systemctl is-active qemu-web.socket').stdout.trim(), 'active');
  });
});
