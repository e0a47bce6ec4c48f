import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import type { Ran } from '../support/nspawn.ts';
import { addMachine, consoleOf, hostOfSuite, isActive, pidOf } from './machines.ts';

describe('users who are not root, on a host with systemd', () => {
  const host = hostOfSuite();
  const as = (user: string, script: string): Ran => host.run('cd /; exec runuser -u "$1" -- sh -c "$2"', user, script);

  /** A login of a user, which ends with its script. */
  const session = (script: string): Ran =>
    host.run(
      'exec systemd-run --quiet --pipe --wait -p PAMName=login -p User=owner -p WorkingDirectory=/home/owner sh -c "$1"',
      script,
    );

  test('nobody but root gets at the run-time files, the logs and the images of machines', async () => {
    host.sh('useradd member; useradd --groups users other; usermod --append --groups qemu-admin member');
    addMachine(host, 'web');
    host.sh('systemctl daemon-reload; qemu-init start web');
    await until('the guest is up', () => consoleOf(host, 'web').includes('ready'));
    for (const user of ['member', 'other']) {
      for (const path of [
        '/run/qemu-init/web/qemu/qmp.sock',
        '/run/qemu-init/web/tls/keys.psk',
        '/var/log/qemu-init/web.console',
      ]) {
        assert.notEqual(as(user, `cat ${path}`).code, 0, `${user} ${path}`);
      }
      assert.equal(as(user, 'ls /run/qemu-init/web').code, 2);
      for (const action of ['status', 'stop', 'kill', 'log']) {
        const { code, stderr } = as(user, `qemu-init --system ${action} web`);
        assert.equal(code, 4, `${user} ${action}: ${stderr}`);
        assert.doesNotMatch(stderr, /Internal error/);
      }
    }
    assert.equal(isActive(host, 'web'), 'active');
  });

  test('who means a machine of the host is told how to stop it', () => {
    const { code, stderr } = as('member', 'qemu-init stop web');
    assert.equal(code, 6);
    assert.match(stderr, /"web" is a machine of the host: run the same with sudo; .*systemctl stop qemu@web$/m);
    assert.doesNotMatch(as('member', 'qemu-init stop other').stderr, /machine of the host/);
    const named = as('member', 'qemu-init --system stop web');
    assert.equal(named.code, 4);
    assert.match(named.stderr, /hint: "web" is a machine of the host: .*systemctl stop qemu@web$/m);
  });

  test('list shows what is registered to everybody, and says that the state is unknown', () => {
    const { code, stdout, stderr } = as('other', 'qemu-init --system list');
    assert.equal(code, 4);
    assert.match(stdout, /^web +web +unknown/m);
    assert.match(stderr, /web: Cannot read/);
  });

  test('a member of qemu-admin may stop a machine through systemd, by the power button; nobody else may', () => {
    host.sh('systemctl start polkit');
    const ask = (user: string, verb: string, unit = 'qemu@web'): number =>
      as(user, `systemctl --no-ask-password ${verb} ${unit}`).code;
    const pid = pidOf(host, 'web');
    for (const verb of ['stop', 'restart', 'kill']) assert.notEqual(ask('other', verb), 0, verb);
    for (const verb of ['restart', 'kill']) assert.notEqual(ask('member', verb), 0, verb);
    assert.notEqual(ask('member', 'stop', 'systemd-journald'), 0);
    assert.notEqual(ask('member', 'stop', 'qemu.target'), 0);
    assert.equal(pidOf(host, 'web'), pid);
    assert.equal(ask('member', 'status'), 0);
    // How it is asked for cannot be seen: with this mode a stop would cancel all that others wait for.
    host.sh('systemd-run --quiet --no-block --unit=busy --property=Type=oneshot sleep 300');
    assert.notEqual(ask('member', 'stop --job-mode=flush'), 0);
    assert.match(host.sh('systemctl list-jobs --no-legend'), /busy\.service start/);
    host.sh('systemctl stop busy');
    assert.equal(ask('member', 'stop'), 0);
    assert.equal(isActive(host, 'web'), 'inactive');
    assert.match(host.sh('journalctl --sync; journalctl --no-pager -b -u qemu@web'), /web: stopped by powerdown/);
    assert.notEqual(ask('member', 'start'), 0);
  });

  test('a machine of a user is a unit of that user, is told of the logout, and then shut down by the power button', async () => {
    host.write('/etc/systemd/logind.conf.d/test.conf', '[Login]\nUserStopDelaySec=0\nKillUserProcesses=yes\n');
    host.sh('systemctl restart systemd-logind; useradd --create-home owner; rm -f /var/lib/systemd/linger/owner');
    addMachine(host, 'mine');
    host.sh(
      'cd /home/owner; mkdir -p .config/qemu; mv /etc/qemu/mine* .config/qemu; sed -i /^mine=/d /etc/qemu/qemu-init.reg; echo mine=mine >.config/qemu/qemu-init.reg; chown -R owner: .config',
    );
    const { code, stdout, stderr } = session(
      `qemu-init start mine && systemctl --user is-active qemu@mine && qemu-init wait mine --for 'console=ready'; qemu-init doctor`,
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /mine: it is shut down when you log out; .*: loginctl enable-linger owner/);
    assert.match(stdout, /^active$/m);
    assert.match(stdout, /warning: mine: It ends when you log out/);
    await until('the service manager of the user is gone', () => host.run('ls -A /run/user').stdout === '');
    assert.match(host.sh('journalctl --sync; journalctl --no-pager -b'), /mine: stopped by powerdown/);
    // What is in no unit has its plug pulled, which start says before and status after.
    assert.match(
      session('qemu-init start --direct mine').stderr,
      /mine: QEMU belongs to your session: .*enable-linger owner/,
    );
    await until('the session is gone', () => host.run('ls -A /run/user').stdout === '');
    assert.match(session('qemu-init status mine').stderr, /mine: QEMU was ended by a signal, .* pulling the plug/);
  });

  test('enable tells a user when the machine starts, and with lingering it lives from boot to poweroff', async () => {
    assert.match(
      session('qemu-init enable mine').stdout,
      /^mine: starts when you log in; .*loginctl enable-linger owner/,
    );
    host.sh('loginctl enable-linger owner');
    assert.match(session('qemu-init enable mine').stdout, /^mine: starts when the host boots .*already/);
    await host.powerOff();
    await host.boot();
    const { stdout, stderr } = session(
      "qemu-init wait mine --for running && qemu-init wait mine --for 'console=ready' && qemu-init start mine",
    );
    assert.match(stdout, /^mine: already running/m);
    const unit = (): string => session('systemctl --user show --property=ActiveState,Result qemu@mine').stdout;
    const lastEnd = (): { cause?: string } =>
      JSON.parse(session('qemu-init status mine --json').stdout)[0]?.lastEnd ?? {};
    session('qemu-cmd -c system_powerdown mine');
    await until('the unit is inactive', () => unit().includes('ActiveState=inactive'));
    assert.match(unit(), /^Result=success$/m);
    assert.equal(lastEnd().cause, 'guest-shutdown');
    host.sh('echo "POSTSTOP=/usr/bin/touch /home/owner/cleaned" >>/home/owner/.config/qemu/mine-qemu.cfg');
    session('systemctl --user daemon-reload; qemu-init start mine; pkill -KILL -u owner qemu-system-x86');
    await until('the unit has failed', () => unit().includes('ActiveState=failed'));
    assert.equal(lastEnd().cause, 'killed');
    host.sh('test -e /home/owner/cleaned');
    session("systemctl --user reset-failed; qemu-init start mine && qemu-init wait mine --for 'console=ready'");
    const uninstall = host.run('qemu-init uninstall --stop');
    assert.equal(uninstall.code, 1);
    assert.match(uninstall.stderr, /Machines are running .*: mine \(of owner\)/);
    assert.doesNotMatch(stderr, /linger/);
    await host.powerOff();
    await host.boot();
    assert.match(host.sh('journalctl --no-pager -b -1'), /mine: stopped by powerdown/);
    host.sh('loginctl disable-linger owner');
  });

  test('a disk that another machine has too stays with the user of all machines, and an account that was there stays its own', () => {
    addMachine(host, 'first');
    addMachine(host, 'second', 'RUNAS=qemu\n');
    host.sh('sed -i s/second.img/first.img/ /etc/qemu/second-qemu.cfg; ln -s first.img /etc/qemu/alias.img');
    host.sh('sed -i s/first.img/alias.img/ /etc/qemu/second-qemu.cfg');
    const { code, stderr } = host.run('qemu-init start --verbose --direct first');
    assert.notEqual(code, 0);
    assert.match(stderr, /first\.img" stays with user "qemu": it is also a disk of machine "second"/);
    assert.equal(host.sh('stat -c "%U %a" /etc/qemu/first.img'), 'qemu 600');
    // A captured QEMU of the second one could make such a link, too.
    host.sh('chown --no-dereference qemu /etc/qemu/alias.img; qemu-init start --direct first');
    assert.equal(host.sh('stat -c "%U %a" /etc/qemu/first.img'), 'qi-first 600');
    host.sh('qemu-init kill first');
    for (const account of ['useradd --system --shell /usr/sbin/nologin qi-third', 'useradd qi-fourth']) {
      const name = account.slice(account.indexOf('qi-') + 3);
      host.sh(account);
      addMachine(host, name);
      for (const action of ['check', 'start', 'start --direct', 'check --try']) {
        const ran = host.run(`qemu-init ${action} ${name}`);
        assert.equal(ran.code, 6, `${action}: ${ran.stderr}`);
        assert.match(ran.stderr, /User "qi-\w+" (exists, but is not marked as|can log in)/, action);
      }
    }
    // The user of this one would share its number, and its files, with another one.
    host.sh(
      'useradd --system --non-unique --uid "$(id -u qi-third)" --shell /usr/sbin/nologin --comment "QEMU machine fifth" qi-fifth',
    );
    addMachine(host, 'fifth');
    assert.match(host.run('qemu-init check fifth').stderr, /User "qi-fifth" has the same UID as user "qi-third"/);
    host.sh('userdel qi-third; userdel qi-fourth; userdel qi-fifth');
  });

  test('check --try of a machine that was never started has the rights of its group', () => {
    addMachine(host, 'untried', 'KERNEL=kernel\n');
    host.sh('cd /etc/qemu; head -c 64K /dev/zero >kernel; chown root:qemu kernel; chmod 640 kernel');
    const { code, stderr } = host.run('qemu-init check --try untried');
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.equal(host.run('getent passwd qi-untried').code, 2, 'and makes no user');
  });

  test('install makes the user and its groups also where systemd-sysusers is missing', () => {
    host.sh('mv /usr/bin/systemd-sysusers /usr/bin/systemd-tmpfiles /root');
    host.sh('userdel qemu; userdel qemu-web; groupdel qemu-admin; groupdel -f qemu 2>&1 || true');
    for (let call = 0; call < 2; call++) host.sh('qemu-init install');
    assert.match(host.sh('id qemu'), /\(qemu\) gid=\d+\(qemu\) .*\(kvm\)/);
    assert.match(host.sh('getent passwd qemu'), /:\/var\/lib\/qemu-init:\/usr\/sbin\/nologin$/);
    host.sh('getent group qemu-admin');
    assert.match(host.sh('getent passwd qemu-web'), /:\/usr\/sbin\/nologin$/);
  });
});
