import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import type { Container, Ran } from '../support/nspawn.ts';
import { addMachine, hostOfSuite, isActive, pidOf, statesOf } from './machines.ts';

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

  test('a live restart gives the unit another main process, in its place and with its limits, and what fails changes nothing', async () => {
    await ready(host, 'web');
    const before = { pid: pidOf(host, 'web'), since: host.show('qemu@web.service', 'ActiveEnterTimestampMonotonic') };
    const { code, stdout, stderr } = init(host, 'restart --live web');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^web: goes on in QEMU /);
    let pid = pidOf(host, 'web');
    assert.notEqual(pid, before.pid);
    assert.equal(host.show('qemu@web.service', 'MainPID'), `${pid}`);
    assert.equal(host.show('qemu@web.service', 'ActiveEnterTimestampMonotonic'), before.since);
    assert.equal(isActive(host, 'web'), 'active');
    assert.match(host.sh('cat "/proc/$1/cgroup"', `${pid}`), /qemu@web\.service$/m);
    assert.match(host.sh('cat "/proc/$1/status"', `${pid}`), /^NoNewPrivs:\s+1$/m);
    assert.equal(host.sh('ls -A /run/qemu-init/.live'), '');
    // On a terminal one sees how far the unit is.
    const shown = host.sh('script -qec "qemu-init restart --live web --rate 200K" /dev/null');
    assert.match(shown, /web: goes on in QEMU /);
    assert.match(shown, /\d+ %/);
    assert.equal(host.sh('ls -A /run/qemu-init/.live'), '');
    pid = pidOf(host, 'web');
    host.sh("sed -i 's/^RAM=.*/RAM=16M/' /etc/qemu/web-qemu.cfg");
    const refused = init(host, 'restart --live web');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /its hardware would differ: RAM is "16M" and was/);
    host.sh("sed -i 's/^RAM=.*/RAM=8M/' /etc/qemu/web-qemu.cfg");
    assert.equal(pidOf(host, 'web'), pid);
  });

  test('stop says which rung ended the guest, and the unit is inactive when it returns', async () => {
    await ready(host, 'web');
    const { code, stdout } = init(host, 'stop web');
    assert.equal(code, 0);
    assert.match(stdout, /^web: stopped by powerdown in [\d.]+ s\n$/);
    assert.equal(isActive(host, 'web'), 'inactive');
    assert.match(
      host.sh('journalctl --sync; journalctl -u qemu@web'),
      /web: stopped by powerdown in .*: the guest switched the machine off/,
    );
    assert.deepEqual(init(host, 'stop web'), { code: 0, stdout: 'web: not running\n', stderr: '' });
  });

  test('locks hold between shells and units, to which a container shows different ids of the boot', async () => {
    const bootId = 'cat /proc/sys/kernel/random/boot_id';
    const inUnit = 'systemd-run --quiet --property=ProtectProc=invisible';
    // systemd-nspawn mounts a file over it, but not in a /proc that a unit has to itself: without that this test shows nothing.
    assert.notEqual(host.sh(bootId), host.sh(`${inUnit} --wait --pipe ${bootId}`));
    addMachine(host, 'slow', 'PRECMD="/bin/sh -c \'until [ -e /run/go ]; do sleep 0.1; done\'"\n');
    const held = (): boolean => host.run('ls /run/qemu-init/slow/lock/holder.*').code === 0;
    const isWaiting = 'waiting for "start" (process ';

    host.sh('qemu-init start --direct slow >/dev/null 2>&1 &');
    await until('the shell holds the lock', held);
    host.sh(`${inUnit} --unit=waiting qemu-init start --direct --verbose slow`);
    await until('the unit waits', () =>
      host.run('journalctl --sync; journalctl -u waiting').stdout.includes(isWaiting),
    );
    host.sh('touch /run/go');
    await until('the machine runs', () => statesOf(host)['slow'] === 'running');
    await until('the unit found it running', () =>
      host.run('journalctl -u waiting').stdout.includes('already running'),
    );
    init(host, 'stop --force slow');

    host.sh('rm /run/go; systemctl start --no-block qemu@slow');
    await until('the unit holds the lock', held);
    host.sh('qemu-init start --direct slow >/run/waiting 2>&1 &');
    await until('the shell waits', () => host.sh('cat /run/waiting').includes(isWaiting));
    host.sh('touch /run/go');
    await until('the shell found it running', () => host.sh('cat /run/waiting').includes('already running'));
    assert.equal(isActive(host, 'slow'), 'active');
    init(host, 'stop --force slow');
  });

  test('what a start has to say is told by the command that asked for it, once', () => {
    addMachine(host, 'wordy', 'POSTCMD="/bin/sh -c \'exit 3\'"\n');
    const through = init(host, 'start wordy');
    assert.equal(through.code, 0);
    assert.equal(through.stderr.match(/^wordy: warning: POSTCMD "\/bin\/sh" ended with exit status 3$/gm)?.length, 1);
    init(host, 'stop --force wordy');
    assert.match(init(host, 'status wordy').stderr, /wordy: QEMU was asked to quit before the guest had/);
    assert.equal(through.stderr, init(host, 'start --direct wordy').stderr);
    init(host, 'stop --force wordy');
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

  test('whichever way a machine is started, its QEMU is the main process of its unit', async () => {
    init(host, 'stop --force web');
    host.sh(
      'mkdir /srv/vm; cd /etc/qemu; cp web.img /srv/vm/lone.img; chown qemu /srv/vm/lone.img; sed s/web.img/lone.img/ web-qemu.cfg >/srv/vm/lone-qemu.cfg',
    );
    host.sh(
      'cd /etc/qemu; cp web.img loose.img; chown qemu loose.img; sed s/web.img/loose.img/ web-qemu.cfg >loose-qemu.cfg',
    );
    const ways = {
      web: ['start --direct web', 'start --paused web', 'start --direct --paused web', 'start --preconfig web'],
      lone: ['start /srv/vm/lone-qemu.cfg', 'start --direct /srv/vm/lone-qemu.cfg'],
      loose: ['start loose', 'start --direct loose'],
    };
    for (const [name, calls] of Object.entries(ways)) {
      for (const call of calls) {
        const { code, stdout, stderr } = init(host, call);
        assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, call);
        assert.match(stdout, new RegExp(`^${name}: started in `), call);
        assertInUnit(host, name, call);
        const [{ state }] = JSON.parse(host.run(`qemu-init status --json ${name}`).stdout);
        const expected = call.includes('--paused')
          ? 'prelaunch'
          : call.includes('--preconfig')
            ? 'preconfig'
            : 'running';
        assert.equal(state, expected, call);
        assert.equal(init(host, `stop --force ${name}`).code, 0, call);
        assert.equal(isActive(host, name), 'inactive', call);
      }
    }
    // How it was asked for is over with that start.
    assert.equal(init(host, 'start web').code, 0);
    assert.equal(JSON.parse(host.sh('qemu-init status --json web'))[0].state, 'running');
    init(host, 'stop --force web');
  });

  test('start, stop and systemctl restart at the same moment never leave a QEMU that its unit does not know', async () => {
    for (let round = 0; round < 10; round++) {
      host.run(
        `for each in "qemu-init start web" "qemu-init stop --force web" "systemctl restart qemu@web"; do
          { sleep 0.0$(( ($1 * 7 + \${#each}) % 10 )); $each; } >/dev/null 2>&1 &
        done; wait`,
        `${round}`,
      );
      const alive = host.run('qemu-init status web').code === 0;
      if (alive) assertInUnit(host, 'web', `round ${round}`);
      else await until('the unit is inactive', () => ['inactive', 'failed'].includes(isActive(host, 'web')));
    }
    init(host, 'stop --force web');
  });

  test('a start typed while the machine goes down waits for that, and starts the unit', async () => {
    addMachine(host, 'slow', 'STOPDELAY=1\nRESTART=always\nPOSTSTOP="/bin/sleep 1"\n', { deaf: true });
    for (const stop of ['qemu-init stop slow', 'systemctl stop qemu@slow']) {
      assert.equal(init(host, 'start slow').code, 0);
      const pid = pidOf(host, 'slow');
      host.sh(`${stop} >/dev/null 2>&1 &`);
      await until('the stop has begun', () => host.run('test -e /run/qemu-init/slow/lock').code === 0);
      const { code, stderr } = init(host, 'start slow');
      assert.equal(code, 0, stderr);
      assert.notEqual(pidOf(host, 'slow'), pid);
      assertInUnit(host, 'slow', stop);
      init(host, 'stop --force slow');
    }
  });

  test('a masked unit is reported as masked, and a QEMU without its unit by its start and by doctor', () => {
    host.sh('systemctl mask --runtime qemu@web.service');
    const masked = init(host, 'start web');
    assert.equal(masked.code, 1);
    assert.match(masked.stderr, /"qemu@web\.service" is masked/);
    const direct = init(host, 'start --direct web');
    assert.equal(direct.code, 0);
    assert.match(
      direct.stderr,
      /is masked[\s\S]*not in qemu@web\.service: a shutdown of the host is like pulling the plug/,
    );
    assert.match(init(host, 'doctor').stdout, /error: web: The unit is masked/);
    assert.match(
      init(host, 'enable web').stdout,
      /^web: .* its unit is masked, .*: systemctl unmask qemu@web\.service$/m,
    );
    host.sh('sed -i /^AUTOSTART/d /etc/qemu/web-qemu.cfg');
    host.sh('systemctl unmask --runtime qemu@web.service');
    const found = init(host, 'doctor');
    assert.equal(found.code, 1);
    assert.match(found.stdout, /error: web: .*\n.*not in qemu@web\.service.*\n {2}fix: qemu-init start web/);
    assert.match(init(host, 'start web').stdout, /^web: already running/);
    assertInUnit(host, 'web', 'start');
    assert.doesNotMatch(init(host, 'doctor').stdout, /not in qemu@web/);
    init(host, 'stop --force web');
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
    for (const name of ['a.b', 'a-b_c', 'db.service', '0', 'n'.repeat(40)]) {
      addMachine(host, name);
      assert.equal(init(host, `start ${name}`).code, 0);
      assert.equal(host.run('systemctl is-active "qemu@$1.service"', name).stdout, 'active\n');
      assert.equal(init(host, `stop --force ${name}`).code, 0);
    }
  });
});

/** Nothing of the machine is elsewhere, and its unit will stop it. */
function assertInUnit(host: Container, name: string, how: string): void {
  const pid = `${pidOf(host, name)}`;
  assert.equal(isActive(host, name), 'active', how);
  assert.match(host.sh('cat "/proc/$1/cgroup"', pid), new RegExp(`qemu@${name}\\.service$`, 'm'), how);
  assert.equal(host.show(`qemu@${name}.service`, 'MainPID'), pid, how);
}

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
