import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import type { Container } from '../support/nspawn.ts';
import { addMachine, consoleOf, hostOfSuite, isActive, pidOf } from './machines.ts';

describe('a machine whose guest goes down or starts over, on a host with systemd', () => {
  const host = hostOfSuite();

  test('RESTART=always brings a machine back whose guest switched it off', async () => {
    addMachine(host, 'ever', 'RESTART=always\n');
    pauseOf(host, 'ever', 0);
    host.sh('systemctl daemon-reload; qemu-init start ever');
    await ready(host, 'ever', 1);
    const pid = pidOf(host, 'ever');
    host.sh('qemu-cmd -c system_powerdown ever');
    await ready(host, 'ever', 2);
    await until('the unit is active', () => isActive(host, 'ever') === 'active');
    assert.notEqual(pidOf(host, 'ever'), pid);
    assert.match(journal(host, 'ever'), /ever: the guest switched the machine off/);
    host.sh('qemu-init stop ever');
    assert.equal(isActive(host, 'ever'), 'inactive');
  });

  test('RESTART=on-failure leaves a machine off whose guest switched it off', async () => {
    addMachine(host, 'once', 'RESTART=on-failure\n');
    pauseOf(host, 'once', 0);
    host.sh('systemctl daemon-reload; qemu-init start once');
    await ready(host, 'once', 1);
    host.sh('qemu-cmd -c system_powerdown once');
    await until('the unit is inactive', () => isActive(host, 'once') === 'inactive');
    assert.equal(host.show('qemu@once', 'Result'), 'success');
    assert.equal(host.show('qemu@once', 'NRestarts'), '0');
    assert.equal(host.show('qemu@once', 'Job'), '');
    assert.equal(host.run('qemu-init status once').code, 3);
  });

  test('a guest that is reset starts over in the same QEMU, and its unit stays active', async () => {
    addMachine(host, 'again');
    host.sh('qemu-init start again');
    await ready(host, 'again', 1);
    const pid = pidOf(host, 'again');
    host.sh('qemu-init reset again');
    await ready(host, 'again', 2);
    assert.equal(pidOf(host, 'again'), pid);
    assert.equal(isActive(host, 'again'), 'active');
    const [{ state, lastEnd }] = JSON.parse(host.sh('qemu-init status --json again'));
    assert.deepEqual({ state, lastEnd }, { state: 'running', lastEnd: null });
    host.sh('qemu-init stop again');
  });

  test('with -no-reboot a reset ends the machine, and is told from a guest that switched itself off', async () => {
    addMachine(host, 'single', '[custom]\n-no-reboot\n');
    host.sh('qemu-init start single');
    await ready(host, 'single', 1);
    host.run('qemu-init reset single');
    await until('the unit is inactive', () => isActive(host, 'single') === 'inactive');
    const [{ lastEnd }] = JSON.parse(host.run('qemu-init status --json single').stdout);
    assert.equal(lastEnd.cause, 'guest-reset');
    assert.match(journal(host, 'single'), /single: the guest reset the machine, which ends it/);
  });

  test('hooks have their environment and rules in a unit too', async () => {
    const note = '/var/lib/qemu-init/notes';
    host.write(
      '/srv/hook',
      `#!/bin/sh\nenv | grep ^QEMU_INIT_ | sort | tr '\\n' ' ' >>${note}\necho "$1 in $PWD" >>${note}\nexit "$2"\n`,
      0o755,
    );
    const hooks = ['PRECMD', 'POSTCMD', 'PRESTOP', 'POSTSTOP'];
    addMachine(
      host,
      'hooked',
      hooks.map((key) => `${key}="/srv/hook '${key} x' ${key === 'PRECMD' ? 0 : 3}"\n`).join(''),
    );
    host.sh('systemctl daemon-reload; systemctl start qemu@hooked');
    const pid = pidOf(host, 'hooked');
    await ready(host, 'hooked', 1);
    host.sh('systemctl stop qemu@hooked');
    assert.equal(host.show('qemu@hooked', 'Result'), 'success');
    const lines = host.read(note).trim().split('\n');
    assert.equal(lines.length, hooks.length);
    for (const [index, hook] of hooks.entries()) {
      const line = lines[index] ?? '';
      assert.match(line, new RegExp(`${hook} x in /etc/qemu$`));
      assert.match(line, new RegExp(`QEMU_INIT_HOOK=${hook} .*QEMU_INIT_MACHINE=hooked `));
      assert.match(line, /QEMU_INIT_CONFIG=\/etc\/qemu\/hooked-qemu\.cfg /);
      assert.equal(line.includes(`QEMU_INIT_PID=${pid} `), hook === 'POSTCMD' || hook === 'PRESTOP');
    }
    for (const hook of hooks.slice(1))
      assert.match(journal(host, 'hooked', '--priority=4'), new RegExp(`${hook} "/srv/hook" ended`));
  });

  test('a PRECMD that fails keeps the unit from starting', () => {
    addMachine(host, 'barred', 'PRECMD="/srv/hook no 4"\n');
    host.sh('systemctl daemon-reload');
    assert.notEqual(host.run('systemctl start qemu@barred').code, 0);
    assert.equal(isActive(host, 'barred'), 'failed');
    assert.match(journal(host, 'barred', '--priority=3'), /PRECMD "\/srv\/hook" ended with exit status 4/);
    assert.equal(host.run('ls -A /run/qemu-init/barred').stdout, '');
  });

  test('REQUIRES never ends a running machine: not by a crash, a restart or a stop of what it requires', async () => {
    addMachine(host, 'db', 'RESTART=on-failure\nSTOPDELAY=0\n');
    addMachine(host, 'lin', 'REQUIRES=db\nSTOPDELAY=0\n');
    pauseOf(host, 'db', 0);
    host.sh('systemctl daemon-reload; systemctl start qemu@lin');
    const lin = pidOf(host, 'lin');
    const db = pidOf(host, 'db');
    host.sh('kill -9 "$1"', `${db}`);
    await until('db is up again', () => isActive(host, 'db') === 'active' && pidOf(host, 'db') !== db);
    host.sh('systemctl restart qemu@db; systemctl stop qemu@db');
    assert.equal(pidOf(host, 'lin'), lin);
    assert.equal(host.show('qemu@lin', 'NRestarts'), '0');
    assert.equal(isActive(host, 'lin'), 'active');
    host.sh('systemctl stop qemu@lin; systemctl start qemu@lin');
    assert.equal(isActive(host, 'db'), 'active');
    host.sh(
      'systemctl stop qemu@lin qemu@db; sed -i s,^RESTART=.*,PRECMD=/bin/false, /etc/qemu/db-qemu.cfg; systemctl daemon-reload',
    );
    assert.notEqual(host.run('systemctl start qemu@lin').code, 0);
    assert.match(journal(host, 'lin', '--priority=3'), /"lin" requires "db", which did not start/);
  });

  test('mistakes in files are not tried again by RESTART, and a crash after them is', async () => {
    addMachine(host, 'wrong', 'RESTART=always\n');
    pauseOf(host, 'wrong', 0);
    host.sh('mv /etc/qemu/wrong.img /etc/qemu/away; systemctl daemon-reload');
    assert.notEqual(host.run('systemctl start qemu@wrong').code, 0);
    await until('the unit has failed', () => isActive(host, 'wrong') === 'failed');
    assert.equal(host.show('qemu@wrong', 'Job'), '');
    assert.equal(host.show('qemu@wrong', 'NRestarts'), '0');
    assert.equal(host.run('qemu-init start wrong').code, 6);
    host.sh('mv /etc/qemu/away /etc/qemu/wrong.img; systemctl start qemu@wrong');
    const pid = pidOf(host, 'wrong');
    host.sh('kill -9 "$1"', `${pid}`);
    await until('it is up again', () => isActive(host, 'wrong') === 'active' && pidOf(host, 'wrong') !== pid);
    host.sh('qemu-init stop --force wrong');
  });

  test('a POSTSTOP that takes longer than the pause before a restart is waited for', async () => {
    const note = '/var/lib/qemu-init/turns';
    host.write('/srv/turn', `#!/bin/sh\nsleep "$2"\necho "$1" >>${note}\n`, 0o755);
    addMachine(host, 'slowly', 'RESTART=always\nPRECMD="/srv/turn pre 0"\nPOSTSTOP="/srv/turn post 1"\n');
    pauseOf(host, 'slowly', 0);
    host.sh('systemctl daemon-reload; systemctl start qemu@slowly; kill -9 "$(cat /run/qemu-init/slowly/qemu/pid)"');
    const notes = (): string[] => host.run(`cat ${note}`).stdout.trim().split('\n');
    await until('it is up again', () => notes().length >= 3 && isActive(host, 'slowly') === 'active').catch((error) => {
      throw new Error(`${notes().join()} ${journal(host, 'slowly')}`, { cause: error });
    });
    assert.deepEqual(notes(), ['pre', 'post', 'pre']);
    host.sh('qemu-init stop --force slowly');
  });

  test('systemctl kill is told as a pulled plug', async () => {
    addMachine(host, 'alone');
    host.sh('systemctl daemon-reload; systemctl start qemu@alone');
    await ready(host, 'alone', 1);
    host.sh('systemctl kill qemu@alone');
    await until('the unit has ended', () => ['inactive', 'failed'].includes(isActive(host, 'alone')));
    const [{ lastEnd }] = JSON.parse(host.run('qemu-init status --json alone').stdout);
    assert.equal(lastEnd.cause, 'signal');
    assert.match(host.run('qemu-init status alone').stderr, /alone: QEMU was ended by a signal, .* pulling the plug/);
  });

  test('every kind of network card, firmware and program that serves QEMU starts in a unit', () => {
    // Everybody may open it, as udev has it.
    host.sh('umount /dev/net/tun; rm -f /dev/net/tun; mknod -m 666 /dev/net/tun c 10 200');
    host.sh('ip link add br0 type bridge && ip link set br0 up; ip link set lo up');
    host.sh('ip link add eth0 type veth peer name far; ip link set eth0 up; ip link set far up');
    host.sh('ip address add 192.0.2.2/24 dev eth0; ip route add default via 192.0.2.1');
    const nics = ['net=bridge', 'net=user', 'net=passt', 'net=none', 'net=bridge,queues=2'];
    const shares = 'SHARE1=/srv/data\nSHARE2=/home/bob/data,driver=9p\n';
    host.sh('mkdir -p /srv/data /home/bob/data; chown games /home/bob');
    addMachine(
      host,
      'all',
      `${nics.map((words, index) => `NIC${index + 1}=virtio-net-pci,${words}\n`).join('')}FIRMWARE=uefi\nTPM=on\n${shares}`,
    );
    host.sh(
      'sed -i s/RAM=8M/RAM=64M/ /etc/qemu/all-qemu.cfg; systemctl daemon-reload; systemctl start qemu@all || { journalctl --no-pager -n 20 -u qemu@all; false; }',
    );
    assert.match(host.sh('ps -C passt,passt.avx2 -o user='), /^qi-all/m);
    for (const name of ['virtiofsd', 'swtpm']) {
      const pid = Number(host.sh('pgrep "^$1"', name));
      assert.equal(host.sh('ps -o user= -p "$1"', String(pid)), 'qi-all', name);
      assert.match(host.sh('cat "/proc/$1/cgroup"', String(pid)), /qemu@all\.service/);
    }
    host.sh('qemu-init stop --force all');
    assert.equal(host.run('pgrep "^passt|^virtiofsd|^swtpm"').stdout, '');
  });

  test('poweroff waits until the last of hanging machines had its time, whatever the host gives all of them', async () => {
    const names = [10, 20, 30].map((order) => {
      addMachine(host, `deaf${order}`, `STOPDELAY=1\nBOOTORDER=${order}\n`, { deaf: true });
      return `deaf${order}`;
    });
    host.sh(
      'sed "s/^JobTimeoutSec=.*/JobTimeoutSec=2s/" /usr/lib/systemd/system/poweroff.target >/etc/systemd/system/poweroff.target',
    );
    host.sh(`systemctl daemon-reload; systemctl start ${names.map((name) => `qemu@${name}`).join(' ')}`);
    await host.powerOff();
    await host.boot();
    for (const name of names) {
      assert.match(host.sh('journalctl --no-pager -b -1 -u "qemu@$1"', name), new RegExp(`${name}: stopped by quit`));
    }
  });
});

/** The tests do not wait for the pause before a restart. */
function pauseOf(host: Container, name: string, seconds: number): void {
  host.write(`/etc/systemd/system/qemu@${name}.service.d/90-test.conf`, `[Service]\nRestartSec=${seconds}\n`);
}

/** Waits for the guest's nth boot: its console log goes on from run to run. */
async function ready(host: Container, name: string, boots: number): Promise<void> {
  await until('the guest is up', () => consoleOf(host, name).split('ready').length > boots);
}

function journal(host: Container, name: string, ...options: readonly string[]): string {
  return host.sh(`journalctl --sync; journalctl --no-pager -b ${options.join(' ')} -u "qemu@$1"`, name);
}
