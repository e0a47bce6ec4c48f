import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import { type Container, installProject } from '../support/nspawn.ts';
import { repoRoot } from '../support/repo.ts';
import { addMachine, consoleOf, hostOfSuite, isActive, pidOf } from './machines.ts';

describe('a host with systemd', () => {
  const host = hostOfSuite();

  test('systemd has nothing to say about the units', () => {
    const { code, stdout, stderr } = host.run(
      'systemd-analyze verify qemu@web.service qemu.target qemu-reload.path qemu-late.service qemu-trim.timer qemu-backup@web.timer',
    );
    assert.deepEqual({ code, text: `${stdout}${stderr}` }, { code: 0, text: '' });
  });

  test('units that work on disks may open those that are block devices', () => {
    const instances = ['qemu-backup@web.service', 'qemu-web-control@1.service'];
    for (const unit of [...instances, 'qemu-metrics.service', 'qemu-stop.service', 'qemu-strays.service']) {
      // The last closes them in older versions of systemd, without being shown as that.
      const shown = ['DevicePolicy', 'DeviceAllow', 'ProtectClock'].map((property) => host.show(unit, property));
      assert.deepEqual(shown, ['auto', '', 'no'], unit);
    }
  });

  test('machines come up at boot in the order of BOOTORDER and REQUIRES', async () => {
    addMachine(host, 'db', 'AUTOSTART=on\nBOOTORDER=60\nBACKUP=/srv/backup\n');
    addMachine(host, 'web', 'AUTOSTART=on\nBOOTORDER=20\nREQUIRES=db\nBACKUP=/srv/backup,keep=2\n');
    // The nights since then were missed.
    host.sh('mkdir -m 700 /srv/backup; mkdir -p /var/lib/systemd/timers');
    host.sh('touch -d "2 days ago" /var/lib/systemd/timers/stamp-qemu-backup@web.timer');
    host.write('/etc/systemd/system/qemu-backup@.timer.d/now.conf', '[Timer]\nRandomizedDelaySec=0\n');
    addMachine(host, 'app', 'AUTOSTART=on\nBOOTORDER=70\nBOOTDELAY=2\n');
    addMachine(host, 'spare', 'BOOTORDER=10\n');
    // Before anything is mounted nobody knows of this one, which the others require.
    addMachine(host, 'late', 'AUTOSTART=on\nBOOTORDER=10\n');
    host.sh('mkdir -p /opt/late /srv/late; mv /etc/qemu/late-qemu.cfg /etc/qemu/late.img /opt/late');
    host.sh('sed -i "s,^late=.*,late=/srv/late/late," /etc/qemu/qemu-init.reg');
    host.write('/etc/fstab', '/opt/late /srv/late none bind 0 0\n');
    await host.powerOff();
    await host.boot();
    for (const name of ['db', 'web', 'app'])
      assert.equal(
        isActive(host, name),
        'active',
        host.run('systemctl --failed; journalctl -b --no-pager -u "qemu@*"').stdout,
      );
    assert.equal(isActive(host, 'spare'), 'inactive');
    const up = (name: string): number => Number(host.show(`qemu@${name}.service`, 'ActiveEnterTimestampMonotonic'));
    const began = (name: string): number => Number(host.show(`qemu@${name}.service`, 'InactiveExitTimestampMonotonic'));
    assert.equal(isActive(host, 'late'), 'active');
    assert.equal(host.show('qemu@late.service', 'NeedDaemonReload'), 'no');
    assert.ok(up('late') <= began('db'));
    assert.ok(up('db') <= began('web'));
    assert.ok(up('web') <= began('app'));
    assert.ok(up('app') - began('app') >= 2_000_000);
    // Nothing else of the boot waits for that.
    assert.ok(Number(host.show('multi-user.target', 'ActiveEnterTimestampMonotonic')) < up('app'));
    assert.match(host.show('qemu@app.service', 'After'), /\btime-sync\.target\b/);
    // The network is waited for at boot, where qemu.target asks for that, and not by a start by hand.
    assert.match(host.show('qemu@app.service', 'After'), /\bnetwork-online\.target\b/);
    assert.doesNotMatch(host.show('qemu@app.service', 'Wants'), /\bnetwork-online\.target\b/);
    assert.match(host.show('qemu.target', 'Wants'), /\bnetwork-online\.target\b/);
    assert.equal(host.show('qemu@web.service', 'MainPID'), `${pidOf(host, 'web')}`);
  });

  test('a missed backup is made up for at boot, and backups are made one at a time, as BACKUP says', async () => {
    const points = (name: string): string[] => host.run(`ls /srv/backup/${name}`).stdout.split('\n').filter(Boolean);
    await until('the missed backup of web', () => points('web').length === 1, 60_000);
    for (const name of ['web', 'db']) assert.equal(host.sh(`systemctl is-active qemu-backup@${name}.timer`), 'active');
    assert.equal(host.run('systemctl is-active qemu-backup@spare.timer').stdout, 'inactive\n');
    assert.deepEqual(points('db'), []);

    const isDone = (): boolean => host.run('systemctl is-active qemu-backup@web.service').stdout === 'inactive\n';
    await until('its end', isDone, 60_000);
    const waiting = host.sh(
      'flock /run/qemu-init/.backup sh -c "systemctl start --no-block qemu-backup@web qemu-backup@db; sleep 2; ' +
        'systemctl is-active qemu-backup@web qemu-backup@db; ls /srv/backup"',
    );
    assert.equal(waiting, 'activating\nactivating\nweb');
    assert.equal(host.run('systemctl start qemu-backup@web qemu-backup@db').code, 0);
    assert.equal(host.run('systemctl start qemu-backup@web').code, 0);
    assert.deepEqual(
      [points('web').length, points('db').length],
      [2, 1],
      host.run('journalctl -b -u "qemu-backup@*"').stdout,
    );
    assert.equal(host.run('qemu-init backup verify /srv/backup').code, 0);
    for (const name of ['web', 'db']) assert.equal(isActive(host, name), 'active');
  });

  test('a backup that fails leaves a failed unit and says why, and a removed BACKUP ends its timer', async () => {
    host.sh('mv /srv/backup /srv/unmounted');
    assert.notEqual(host.run('systemctl start qemu-backup@db').code, 0);
    assert.equal(host.run('systemctl is-failed qemu-backup@db').stdout, 'failed\n');
    assert.match(host.run('journalctl -b -u qemu-backup@db --no-pager').stdout, /"\/srv\/backup" does not exist/);
    assert.match(host.run('qemu-init check db').stderr, /BACKUP "\/srv\/backup" does not exist/);
    host.sh('mv /srv/unmounted /srv/backup; systemctl reset-failed; sed -i /^BACKUP/d /etc/qemu/db-qemu.cfg');
    const isOver = (): boolean => host.run('systemctl is-active qemu-backup@db.timer').stdout === 'inactive\n';
    await until('the end of the timer', isOver, 30_000);
    assert.equal(host.sh('systemctl is-active qemu-backup@web.timer'), 'active');
  });

  test('AUTOSTART alone says what boot starts: systemctl enable has nothing to do, and doctor sees links that say otherwise', () => {
    assert.equal(host.run('systemctl is-enabled qemu@spare').stdout, 'static\n');
    const enable = host.run('systemctl enable qemu@spare');
    assert.match(enable.stderr, /no installation config/);
    assert.equal(host.run('qemu-init doctor').stdout.includes('contradict'), false);
    host.sh('mkdir -p /etc/systemd/system/qemu.target.wants');
    host.sh('ln -s /usr/lib/systemd/system/qemu@.service /etc/systemd/system/qemu.target.wants/qemu@spare.service');
    const { stdout } = host.run('qemu-init doctor');
    assert.match(
      stdout,
      /warning: spare: systemd and AUTOSTART contradict each other\n.*qemu@spare\.service" starts it at boot/,
    );
    const [, fix = ''] = /or, to keep it from starting: (systemctl disable \S+)/.exec(stdout) ?? [];
    host.run(fix);
    assert.equal(host.run('ls /etc/systemd/system/qemu.target.wants').stdout, '');
    assert.equal(host.run('qemu-init doctor').stdout.includes('contradict'), false);
  });

  test('status has why boot did not start a machine, of which systemd says only that it failed', () => {
    addMachine(host, 'lost', 'AUTOSTART=on\n');
    host.sh('rm /etc/qemu/lost.img; systemctl daemon-reload');
    assert.notEqual(host.run('systemctl start qemu@lost').code, 0);
    assert.match(
      host.run('qemu-init status').stdout,
      /lost .*did not start .*: DSK1 "\/etc\/qemu\/lost\.img" does not exist/,
    );
    host.sh('qemu-init unregister lost; rm /etc/qemu/lost-qemu.cfg; systemctl daemon-reload; systemctl reset-failed');
  });

  test('a timer shortens logs while nobody looks', () => {
    assert.equal(host.sh('systemctl is-active qemu-trim.timer'), 'active');
    host.sh('head -c 5M /dev/zero >>/var/log/qemu-init/web.console; systemctl start qemu-trim.service');
    assert.ok(Number(host.sh('stat -c %s /var/log/qemu-init/web.console')) < 4 * 1024 ** 2);
    assert.equal(host.sh('stat -c "%a %U %s" /var/log/qemu-init/web.console.1'), `600 root ${4 * 1024 ** 2}`);
  });

  test('the exposure of the unit of a running machine is what SECURITY.md and the manual say, at most 3.2', () => {
    const printed = host.run('systemd-analyze security --no-pager qemu@web.service').stdout;
    const exposure = /exposure level for qemu@web\.service: ([\d.]+) /.exec(printed)?.[1];
    assert.ok(exposure !== undefined && Number(exposure) <= 3.2, printed);
    for (const path of ['README.md', 'SECURITY.md', 'docs/man/qemu-init.8.md']) {
      const said = /systemd-analyze security[^`]*`(?:\s+reports|:)\s+([\d.]+)/.exec(
        readFileSync(join(repoRoot, path), 'utf8'),
      )?.[1];
      assert.equal(said, exposure, path);
    }
  });

  test('the exposure of the units of other machines is what SECURITY.md says of their kinds', () => {
    const kinds = {
      bridge: 'NIC1=virtio-net-pci\n',
      hooks: 'PRECMD=/bin/true\n',
      virtiofs: 'SHARE1=/srv\n',
      passt: 'NIC1=virtio-net-pci,net=passt\n',
      tpm: 'TPM=on\n',
      ninep: 'SHARE1=/srv,driver=9p\n',
    };
    for (const [kind, lines] of Object.entries(kinds)) addMachine(host, `kind-${kind}`, lines);
    host.sh('systemctl daemon-reload');
    const exposureOf = (kind: string): string | undefined =>
      /: ([\d.]+) /.exec(host.run('systemd-analyze security --no-pager "qemu@kind-$1" | tail -1', kind).stdout)?.[1];
    const text = readFileSync(join(repoRoot, 'SECURITY.md'), 'utf8');
    const [, plain, bridge, hooks, passt] =
      /reports\s+([\d.]+) of 10, ([\d.]+) with a NIC on a bridge, ([\d.]+) with hooks or a folder shared by virtiofs, and ([\d.]+) with/.exec(
        text,
      ) ?? [];
    const said = { bridge, hooks, virtiofs: hooks, passt, tpm: plain, ninep: plain };
    assert.deepEqual(Object.fromEntries(Object.keys(kinds).map((kind) => [kind, exposureOf(kind)])), said);
    host.sh('rm /etc/qemu/kind-*; sed -i /^kind-/d /etc/qemu/qemu-init.reg; systemctl daemon-reload');
  });

  test('QEMU runs as a user of its machine alone, without capabilities and in its sandbox', () => {
    const [report] = JSON.parse(host.sh('qemu-init security web --json'));
    const { user, groups, capabilities, seccomp, noNewPrivileges, closed } = report;
    assert.deepEqual(
      { user, groups, capabilities, seccomp, noNewPrivileges, closed },
      {
        ...{ user: 'qi-web', groups: ['qemu'], capabilities: [], seccomp: 'filter', noNewPrivileges: true },
        closed: ['system', 'homes', 'temporary', 'processes'],
      },
    );
    for (const { address } of report.listening) assert.match(address, /^(127\.0\.0\.1|::1)$/);
  });

  test('a captured QEMU gets at nothing of another machine, and at no process or temporary file of others', () => {
    const [web, db] = [pidOf(host, 'web'), pidOf(host, 'db')];
    host.sh('echo secret >/tmp/of-others; chmod 0666 /tmp/of-others');
    const targets = [
      ...['img', 'console', 'key', 'qmp', 'serial', 'mem', 'environ'].map((what) => `${what} db ${db}`),
      ...['machine.json', 'launch.json', 'lock', 'control.lock', 'qemu', 'tls', 'keys'].map(
        (what) => `run db ${db} ${what}`,
      ),
      ...['img', 'console', 'key', 'qmp'].map((what) => `${what} web ${web}`),
    ];
    const got = host.sh(CAPTURED, String(web), ...targets);
    assert.deepEqual(got.split('\n'), ['img web', 'console web', 'key web', 'qmp web']);
  });

  test('disks in a home folder and at the end of a link can be written to, and files beside the machine cannot', () => {
    host.sh(
      'mkdir -m 711 -p /home/ann/vm /data /srv/vm; truncate -s 1M /home/ann/vm/a.img /data/b.img; chown qemu /home/ann/vm/a.img /data/b.img',
    );
    host.sh('ln -sf /data/b.img /srv/vm/b.img; touch /srv/other; chmod 0666 /srv/other; chmod 0666 /etc/motd');
    const disks = 'DSK2=/home/ann/vm/a.img,format=raw\nDSK3=/srv/vm/b.img,format=raw\n';
    addMachine(host, 'homely', disks);
    host.sh('systemctl daemon-reload; qemu-init start homely');
    const touch =
      "nsenter --target $1 --mount sh -c 'for path in /home/ann/vm /data /srv/other /etc/motd /usr/lib; do [ ! -w $path ] || echo $path; done'";
    assert.equal(host.sh(touch, `${pidOf(host, 'homely')}`), '/home/ann/vm\n/data');
    const [report] = JSON.parse(host.sh('qemu-init security homely --json'));
    assert.deepEqual(report.closed, ['system', 'temporary', 'processes']);
    host.sh(
      'qemu-init stop --force homely; rm /etc/qemu/homely*; sed -i /^homely=/d /etc/qemu/qemu-init.reg; systemctl daemon-reload',
    );
  });

  test('the user of a machine comes with create and register, and goes when nothing belongs to it', () => {
    const exists = (): boolean => host.run('getent passwd qi-fresh').code === 0;
    host.sh('qemu-init create fresh --disk 1M');
    assert.equal(host.sh('stat -c "%U %G %a" /etc/qemu/fresh.qcow2'), 'qi-fresh qemu 600');
    assert.match(
      host.run('qemu-init unregister fresh').stderr,
      /user "qi-fresh" is kept, since it owns ".*fresh\.qcow2"/,
    );
    host.sh(
      'mv /etc/qemu/fresh.qcow2 /etc/qemu/base.qcow2; chown root:qemu /etc/qemu/base.qcow2; chmod 640 /etc/qemu/base.qcow2',
    );
    // Whoever gets the number next would have what runs as its user.
    host.sh('qemu-init register fresh >/dev/null 2>&1; install -m 4755 -o qi-fresh /bin/true /var/tmp/fresh');
    assert.match(host.run('qemu-init unregister fresh').stderr, /is kept, since it owns "\/var\/tmp\/fresh"/);
    host.sh('rm /var/tmp/fresh; qemu-init register fresh >/dev/null 2>&1; qemu-init unregister fresh');
    assert.ok(!exists());
    // An overlay on a base that all machines may read, and a user who is not there yet.
    host.sh(
      'qemu-img create -q -f qcow2 -F qcow2 -b base.qcow2 /etc/qemu/fresh.qcow2; chmod 600 /etc/qemu/fresh.qcow2',
    );
    host.sh('echo "DSK1=fresh.qcow2,format=qcow2\nRAM=8M\nKVM=off\nVNC=off" >/etc/qemu/fresh-qemu.cfg');
    const { code, stderr } = host.run('qemu-init check fresh');
    assert.equal(code, 6);
    assert.match(stderr, /qemu-init register fresh creates the user; then: chown qi-fresh \/etc\/qemu\/fresh\.qcow2/);
    assert.ok(!exists());
    host.sh('mv /usr/sbin/useradd /usr/sbin/useradd.away');
    const without = host.run('qemu-init register fresh');
    host.sh('mv /usr/sbin/useradd.away /usr/sbin/useradd');
    assert.match(without.stderr, /Cannot find the program "useradd", which RUNAS=auto needs/);
    host.sh(
      'qemu-init register fresh; chown qi-fresh /etc/qemu/fresh.qcow2; qemu-init check fresh; qemu-init start fresh',
    );
    assert.equal(host.sh('ps -o user= -p "$1"', `${pidOf(host, 'fresh')}`), 'qi-fresh');
    host.sh('chown qi-fresh:qemu /etc/qemu/fresh.qcow2; chmod 660 /etc/qemu/fresh.qcow2');
    assert.match(host.run('qemu-init check fresh').stderr, /fresh\.qcow2" is open to the QEMU of every machine/);
    host.sh('qemu-init stop --force fresh; qemu-init unregister fresh; rm /etc/qemu/fresh*');
    // Root under another name.
    host.sh('echo "toor:x:0:0::/:/usr/sbin/nologin" >>/etc/passwd; echo RUNAS=toor >/etc/qemu/toor-qemu.cfg');
    for (const action of ['check', 'start', 'start --direct'])
      assert.match(host.run(`qemu-init ${action} toor`).stderr, /RUNAS must be a user other than root/);
    host.sh('sed -i /^toor:/d /etc/passwd; rm /etc/qemu/toor-qemu.cfg');
  });

  test('doctor has no fault to find', () => {
    const { code, stdout } = host.run('qemu-init doctor');
    assert.deepEqual({ code, errors: stdout.match(/^error.*$/gm) }, { code: 0, errors: null });
  });

  test('systemctl stop presses the power button and returns when the guest is down', async () => {
    await until('the guest is up', () => consoleOf(host, 'app').includes('ready'));
    host.sh('systemctl stop qemu@app');
    assert.equal(isActive(host, 'app'), 'inactive');
    assert.match(journal(host, 'app'), /app: stopped by powerdown/);
    assert.equal(host.run('ls -A /run/qemu-init/app').stdout, '');
  });

  test('systemctl isolate leaves a machine that was started by hand alone, unless qemu.target stops with it', async () => {
    host.write(
      '/etc/systemd/system/bare.target',
      '[Unit]\nAllowIsolate=yes\nRequires=basic.target\nAfter=basic.target\n',
    );
    host.sh('systemctl daemon-reload; systemctl start qemu@spare');
    const pid = pidOf(host, 'spare');
    // systemctl does not wait for what is stopped.
    const isDone = (): boolean => host.sh('systemctl list-jobs --no-legend') === '';
    host.sh('systemctl isolate multi-user.target');
    await until('isolate is done', isDone, 60_000);
    assert.equal(isActive(host, 'spare'), 'active');
    assert.equal(pidOf(host, 'spare'), pid);
    host.sh('systemctl isolate bare.target');
    await until('isolate is done', isDone, 60_000);
    for (const name of ['spare', 'web', 'db']) assert.equal(isActive(host, name), 'inactive');
    assert.match(journal(host, 'web'), /web: (stopped by powerdown|the guest switched the machine off)/);
    host.sh('systemctl isolate multi-user.target');
    await until('isolate is done', isDone, 60_000);
    for (const name of ['web', 'db']) assert.equal(isActive(host, name), 'active');
  });

  test('a deaf guest ends at quit after its STOPDELAY, before systemd loses patience', () => {
    addMachine(host, 'deaf', 'STOPDELAY=2\n', { deaf: true });
    host.sh('systemctl daemon-reload; systemctl start qemu@deaf');
    host.sh('systemctl stop qemu@deaf');
    assert.match(journal(host, 'deaf'), /deaf: stopped by quit/);
    assert.equal(host.show('qemu@deaf.service', 'Result'), 'success');
  });

  test('a guest that switches itself off leaves an inactive unit, not a failed one', async () => {
    addMachine(host, 'brief');
    host.sh('systemctl daemon-reload; systemctl start qemu@brief');
    await until('the guest is up', () => consoleOf(host, 'brief').includes('ready'));
    host.sh('qemu-cmd -c system_powerdown brief');
    await until('the unit is inactive', () => isActive(host, 'brief') === 'inactive');
    assert.equal(host.show('qemu@brief.service', 'Result'), 'success');
    await until('nothing is left', () => host.run('ls -A /run/qemu-init/brief').stdout === '');
  });

  test('a QEMU that is killed is a failed unit, and what it left is cleaned up', async () => {
    host.sh('systemctl start qemu@spare');
    host.sh('kill -9 "$1"', `${pidOf(host, 'spare')}`);
    await until('the unit has failed', () => isActive(host, 'spare') === 'failed');
    assert.equal(host.run('ls -A /run/qemu-init/spare').stdout, '');
    host.sh('systemctl reset-failed qemu@spare');
  });

  test('RESTART=on-failure brings a killed QEMU back, and gives up when that goes on', async () => {
    addMachine(host, 'phoenix', 'RESTART=on-failure\n');
    // The tests do not wait for the pauses in between.
    host.write('/etc/systemd/system/qemu@phoenix.service.d/90-test.conf', '[Service]\nRestartSec=0\n');
    host.sh('systemctl daemon-reload; systemctl start qemu@phoenix');
    // What an administrator does is no crash.
    for (let restarts = 0; restarts < 6; restarts++)
      host.sh('qemu-init stop --force phoenix; systemctl restart qemu@phoenix');
    let kills = 0;
    for (; kills < 20 && isActive(host, 'phoenix') !== 'failed'; kills++) {
      const pid = pidOf(host, 'phoenix');
      host.sh('kill -9 "$1"', `${pid}`);
      await until('it is up again or has failed', () => {
        const state = isActive(host, 'phoenix');
        return state === 'failed' || (state === 'active' && pidOf(host, 'phoenix') !== pid);
      });
    }
    assert.equal(kills, 5);
    assert.match(journal(host, 'phoenix'), /phoenix: not started again, since it has ended 5 times within 10 minutes/);
    assert.match(
      host.run('qemu-init status phoenix').stderr,
      /phoenix: .*ended too often, so systemd does not start it again/,
    );
    host.sh('systemctl reset-failed qemu@phoenix; systemctl start qemu@phoenix; systemctl stop qemu@phoenix');
    assert.equal(isActive(host, 'phoenix'), 'inactive');
    assert.doesNotMatch(host.run('qemu-init status phoenix').stderr, /too often/);
  });

  test('an upgrade of the tool under running machines loses none', () => {
    const pid = pidOf(host, 'db');
    const printed = installProject(host);
    assert.match(printed, /files are up to date/);
    assert.equal(isActive(host, 'db'), 'active');
    assert.equal(pidOf(host, 'db'), pid);
  });

  test('systemctl stop qemu.target returns when all are down, twenty in about the time of one', () => {
    const names = Array.from({ length: 20 }, (_, index) => `many${index}`);
    for (const name of names) addMachine(host, name, 'STOPDELAY=3\nBOOTORDER=90\n', { deaf: true });
    const units = names.map((name) => `qemu@${name}`).join(' ');
    host.sh(`systemctl daemon-reload; systemctl start ${units}`);
    host.sh('systemctl stop qemu.target');
    for (const name of [...names, 'db', 'web', 'app']) assert.equal(isActive(host, name), 'inactive');
    const stopped = names.map((name) => Number(host.show(`qemu@${name}`, 'InactiveEnterTimestampMonotonic')));
    const asked = names.map((name) => Number(host.show(`qemu@${name}`, 'ActiveExitTimestampMonotonic')));
    // One after the other would take the 3 seconds twenty times.
    assert.ok(Math.max(...stopped) - Math.min(...asked) < 20_000_000);
    for (const name of names) assert.match(journal(host, name), /stopped by quit/);
  });

  test('after a power cut everything starts again', async () => {
    await host.cut();
    await host.boot();
    for (const name of ['db', 'web', 'app']) assert.equal(isActive(host, name), 'active');
    assert.equal(isActive(host, 'spare'), 'inactive');
  });

  test('poweroff ends the guests by the power button', async () => {
    for (const name of ['db', 'web', 'app'])
      await until(`${name} is up`, () => consoleOf(host, name).includes('ready'));
    // What an administrator has ordered after a machine goes before it, however many are stopped together.
    host.write(
      '/etc/systemd/system/client.service',
      `[Unit]
After=qemu@db.service
PartOf=qemu.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c 'sleep 1; cp /proc/$(cat /run/qemu-init/db/qemu/pid)/comm /root/client'
`,
    );
    host.sh('systemctl daemon-reload; systemctl start client');
    await host.powerOff();
    await host.boot();
    assert.match(host.read('/root/client'), /^qemu/);
    for (const name of ['db', 'web', 'app']) {
      assert.match(
        host.sh('journalctl --no-pager -b -1 -u "qemu@$1"', name),
        new RegExp(`${name}: stopped by powerdown`),
      );
    }
  });

  test('uninstall refuses while machines run, and with --stop leaves none of them and none of our files', async () => {
    addMachine(host, 'last');
    host.sh('systemctl daemon-reload; systemctl start qemu@last');
    await until('the guest is up', () => consoleOf(host, 'last').includes('ready'));
    const pid = pidOf(host, 'last');
    const { code, stderr } = host.run('qemu-init uninstall');
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Machines are running .*: .*last/);
    assert.equal(isActive(host, 'last'), 'active');
    assert.equal(host.sh('systemctl is-enabled qemu.target'), 'enabled');
    const stopped = host.run('qemu-init uninstall --stop');
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stderr, /last: stopped by powerdown/);
    assert.notEqual(host.run('kill -0 "$1"', `${pid}`).code, 0);
    assert.equal(
      host.run(
        'ls -d /usr/lib/qemu-init /usr/bin/qemu-init /usr/lib/systemd/system/qemu[@.]* /usr/lib/systemd/system/qemu-[lrst]*',
      ).stdout,
      '',
    );
    assert.match(host.read('/etc/qemu/qemu-init.reg'), /^last=last$/m);
  });
});

/** As the user of the QEMU that is process $1, in its namespaces: prints what of the others it can open. */
const CAPTURED = `
pid=$1; shift
id() { sed -n "s/^$1:\\s*\\([0-9]*\\).*/\\1/p" /proc/$pid/status; }
exec nsenter --target $pid --mount --ipc setpriv --reuid=$(id Uid) --regid=$(id Gid) --clear-groups --no-new-privs -- sh -c '
  try() { "$@" >/dev/null 2>&1 && echo "$what $name"; }
  for target; do
    set -- $target; what=$1 name=$2
    case $what in
      img) try dd if=/etc/qemu/$name.img of=/dev/null bs=512 count=1 ;;
      console) try dd if=/var/log/qemu-init/$name.console bs=1 count=1 ;;
      key) try cat /run/qemu-init/$name/tls/keys.psk ;;
      run) try test -r /run/qemu-init/$name/$4 ;;
      qmp | serial) try test -w /run/qemu-init/$name/qemu/$what.sock ;;
      *) try cat /proc/$3/$what ;;
    esac
  done
  for path in /tmp/of-others /proc/1/cmdline /etc/shadow /home /root; do
    [ ! -r $path ] || echo $path
  done; true' sh "$@"`;

function journal(host: Container, name: string): string {
  return host.sh('journalctl --sync; journalctl --no-pager -b -u "qemu@$1"', name);
}
