import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import type { Container, Ran } from '../support/nspawn.ts';
import { addMachine, hostOfSuite, isActive, pidOf } from './machines.ts';

describe('commands typed on a host with systemd', () => {
  const host = hostOfSuite();

  test('start goes through the unit, and says what it says without systemd', () => {
    addMachine(host, 'web');
    const { code, stdout, stderr } = init(host, 'start web');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^web: started in [\d.]+ s \(pid \d+, slot 0, monitor 30320\)\n$/);
    assert.equal(isActive(host, 'web'), 'active');
    assert.match(host.sh('cat "/proc/$1/cgroup"', `${pidOf(host, 'web')}`), /qemu@web\.service$/m);
    assert.equal(host.show('qemu@web.service', 'MainPID'), `${pidOf(host, 'web')}`);
    assert.match(init(host, 'start web').stdout, /^web: already running/);
  });

  test('stop says which rung ended the guest, and the unit is inactive when it returns', async () => {
    await ready(host, 'web');
    const { code, stdout } = init(host, 'stop web');
    assert.equal(code, 0);
    assert.match(stdout, /^web: stopped by powerdown in [\d.]+ s\n$/);
    assert.equal(isActive(host, 'web'), 'inactive');
    assert.match(host.sh('journalctl --sync; journalctl -u qemu@web'), /web: the guest switched the machine off/);
    assert.deepEqual(init(host, 'stop web'), { code: 0, stdout: 'web: not running\n', stderr: '' });
  });

  test('a start that fails has the same status and text as without systemd', () => {
    addMachine(host, 'bad', 'PRECMD="/bin/sh -c \'echo no luck >&2; exit 3\'"\n');
    const through = init(host, 'start bad');
    const direct = init(host, 'start --direct bad');
    assert.equal(through.code, 1);
    assert.match(through.stderr, /PRECMD "\/bin\/sh" ended with exit status 3: no luck/);
    assert.deepEqual(through, direct);
    assert.equal(init(host, 'start no-such').code, 6);
    host.sh('rm /etc/qemu/bad.img');
    const missing = init(host, 'start bad --json');
    assert.equal(missing.code, 6);
    // How long it took is another matter.
    const timeless = ({ stdout, ...rest }: typeof missing): object => ({
      ...rest,
      document: JSON.parse(stdout).map((entry: object) => ({ ...entry, seconds: undefined })),
    });
    assert.deepEqual(timeless(missing), timeless(init(host, 'start --direct bad --json')));
  });

  test('restart, try-restart and force-reload leave an active unit with a new QEMU', async () => {
    init(host, 'start web');
    for (const action of ['restart', 'try-restart']) {
      await ready(host, 'web');
      const pid = pidOf(host, 'web');
      const { code, stderr } = init(host, `${action} web`);
      assert.equal(code, 0, stderr);
      assert.equal(isActive(host, 'web'), 'active');
      assert.notEqual(pidOf(host, 'web'), pid);
    }
  });

  test('a machine that others require is restarted without stopping these', () => {
    addMachine(host, 'top', 'REQUIRES=web\n');
    assert.equal(init(host, 'start top').code, 0);
    const pid = pidOf(host, 'top');
    assert.equal(init(host, 'restart --force web').code, 0);
    assert.equal(pidOf(host, 'top'), pid);
    init(host, 'stop --force top');
  });

  test('--direct works beside systemd, and the unit takes the machine over when it is started', async () => {
    init(host, 'stop --force web');
    assert.equal(init(host, 'start --direct web').code, 0);
    assert.equal(isActive(host, 'web'), 'inactive');
    const pid = pidOf(host, 'web');
    host.sh('systemctl start qemu@web');
    assert.equal(isActive(host, 'web'), 'active');
    assert.equal(host.show('qemu@web.service', 'MainPID'), `${pid}`);
    await ready(host, 'web');
    host.sh('systemctl stop qemu@web');
    assert.equal(init(host, 'status web').code, 3);
  });

  test('stop, kill and force end a machine with RESTART=always for good', async () => {
    addMachine(host, 'stubborn', 'RESTART=always\n');
    host.write('/etc/systemd/system/qemu@stubborn.service.d/90-test.conf', '[Service]\nRestartSec=1\n');
    host.sh('systemctl daemon-reload');
    for (const action of ['stop', 'stop --force', 'kill']) {
      assert.equal(init(host, 'start stubborn').code, 0);
      if (action === 'stop') await ready(host, 'stubborn');
      assert.equal(init(host, `${action} stubborn`).code, 0);
      assert.equal(isActive(host, 'stubborn'), 'inactive');
    }
    assert.equal(host.run('sleep 1.5; systemctl is-active qemu@stubborn').stdout, 'inactive\n');
  });

  test('a changed STOPDELAY counts from the next start on, without a word to systemd', async () => {
    addMachine(host, 'patient', 'STOPDELAY=5\n');
    init(host, 'start patient');
    assert.equal(host.show('qemu@patient.service', 'TimeoutStopUSec'), '1min 35s');
    host.sh('sed -i s/STOPDELAY=5/STOPDELAY=500/ /etc/qemu/patient-qemu.cfg');
    await until('systemd knows', () => host.show('qemu@patient.service', 'TimeoutStopUSec') === '9min 50s');
    init(host, 'stop --force patient');
  });

  test('a machine that is not registered, or whose file breaks while it runs, keeps its STOPDELAY before systemd', async () => {
    addMachine(host, 'alone', 'STOPDELAY=500\n');
    host.sh('sed -i /^alone=/d /etc/qemu/qemu-init.reg; systemctl daemon-reload; systemctl start qemu@alone');
    assert.equal(host.show('qemu@alone.service', 'TimeoutStopUSec'), '9min 50s');
    addMachine(host, 'fragile', 'STOPDELAY=400\n');
    init(host, 'start fragile');
    host.sh('echo RAM=lots >>/etc/qemu/fragile-qemu.cfg; systemctl daemon-reload');
    assert.equal(host.show('qemu@fragile.service', 'TimeoutStopUSec'), '8min 10s');
    assert.equal(init(host, 'stop --force alone fragile').code, 0);
  });

  test('enable and disable change AUTOSTART alone, and systemd knows at once', () => {
    const before = host.read('/etc/qemu/web-qemu.cfg');
    assert.match(init(host, 'enable web').stdout, /^web: starts when the host boots/);
    assert.equal(host.read('/etc/qemu/web-qemu.cfg'), `${before}AUTOSTART=on\n`);
    assert.match(host.show('qemu.target', 'Wants'), /qemu@web\.service/);
    assert.match(init(host, 'enable web').stdout, /already/);
    assert.equal(init(host, 'disable web').code, 0);
    assert.doesNotMatch(host.show('qemu.target', 'Wants'), /qemu@web\.service/);
    assert.equal(init(host, 'enable no-such').code, 6);
  });

  test('the unit of a short name says which unit is meant', () => {
    host.sh('sed -i s/^web=web/w=web/ /etc/qemu/qemu-init.reg; systemctl daemon-reload');
    assert.notEqual(host.run('systemctl start qemu@w').code, 0);
    assert.match(host.sh('journalctl --no-pager -u qemu@w'), /qemu@web\.service/);
    assert.equal(init(host, 'start w').code, 0);
    assert.equal(isActive(host, 'web'), 'active');
  });

  test('the names of machines are those of their units, whatever they have in them', () => {
    for (const name of ['a.b', 'a-b_c', 'db.service', '0']) {
      addMachine(host, name);
      assert.equal(init(host, `start ${name}`).code, 0);
      assert.equal(host.run('systemctl is-active "qemu@$1.service"', name).stdout, 'active\n');
      assert.equal(init(host, `stop --force ${name}`).code, 0);
    }
  });
});

function init(host: Container, call: string): Ran {
  return host.run(`exec qemu-init ${call}`);
}

/** Before the guest is up it does not see the power button. */
async function ready(host: Container, name: string): Promise<void> {
  const pid = pidOf(host, name);
  await until('the guest is up', () => {
    const { stdout } = host.run('tail -c 40 "/var/log/qemu-init/$1.console"; ps -o etimes= -p "$2"', name, `${pid}`);
    return /ready/.test(stdout) && !/^\s*0$/m.test(stdout);
  });
}
