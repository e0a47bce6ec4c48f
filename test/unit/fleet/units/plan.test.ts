import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../../src/config/machine-config.ts';
import { UNIT_STOP_SECONDS } from '../../../../src/fleet/service/units/limits.ts';
import { type PlannedMachine, planUnits } from '../../../../src/fleet/service/units/unit-plan.ts';
import { planUserUnits } from '../../../../src/fleet/service/units/user-plan.ts';
import { autostartIn } from '../../../../src/fleet/service/units/wants-autostart.ts';
import { repoRoot } from '../../../support/repo.ts';

function machine(longName: string, text: string, shortName = longName, defaults = ''): PlannedMachine {
  const configPath = `/etc/qemu/${longName}-qemu.cfg`;
  const { config, issues } = parseMachineConfig(`${text}\n`, {
    path: configPath,
    defaults: { path: '/etc/qemu/defaults-qemu.cfg', text: defaults },
  });
  assert.deepEqual(issues, []);
  assert.ok(config);
  return { target: { longName, shortName, configPath }, config };
}

function filesOf(...machines: readonly PlannedMachine[]): Readonly<Record<string, string>> {
  return Object.fromEntries(planUnits(machines, { lanes: 2 }).map(({ path, text }) => [path, text]));
}

function dropIn(text: string, defaults = ''): string {
  return filesOf(machine('web', text, 'web', defaults))['qemu@web.service.d/50-machine.conf'] ?? '';
}

test('systemd waits longer than the ladder and the hooks can take', () => {
  assert.match(dropIn(''), /^TimeoutStopSec=150$/m);
  assert.match(dropIn('STOPDELAY=600'), /^TimeoutStopSec=690$/m);
  assert.match(dropIn('STOPDELAY=600\nPRESTOP=/bin/a\nPOSTSTOP=/bin/b'), /^TimeoutStopSec=1290$/m);
  assert.match(dropIn('BOOTDELAY=30\nPRECMD=/bin/a'), /^TimeoutStartSec=2130$/m);
});

test('the bare unit waits as long as a machine with the defaults needs', () => {
  const unit = readFileSync(join(repoRoot, 'systemd/qemu@.service'), 'utf8');
  assert.match(unit, new RegExp(`^TimeoutStopSec=${UNIT_STOP_SECONDS}$`, 'm'));
});

test('the defaults of the host count as they do for a start', () => {
  assert.match(dropIn('', 'STOPDELAY=100'), /^TimeoutStopSec=190$/m);
  assert.match(dropIn('STOPDELAY=5', 'STOPDELAY=100\nRESTART=always'), /^TimeoutStopSec=95$/m);
  assert.match(dropIn('', 'RESTART=always'), /^Restart=always$/m);
});

test('with RESTART the unit is started again after a pause, and without it never; starts by hand have no limit', () => {
  const text = dropIn('RESTART=on-failure');
  for (const line of ['Restart=on-failure', 'RestartSec=5']) assert.ok(text.includes(`\n${line}\n`), line);
  assert.doesNotMatch(text, /StartLimit/);
  assert.doesNotMatch(dropIn('RESTART=no'), /Restart|StartLimit/);
});

test('BOOTDELAY waits only while the host boots', () => {
  assert.match(dropIn('BOOTDELAY=7'), /^ExecStartPre=.*initializing\|starting\) exec sleep 7;;/m);
  assert.doesNotMatch(dropIn(''), /ExecStartPre/);
});

test('folders of images are waited for, and block devices are let through', () => {
  const text = dropIn('DSK1="/srv/my disks/a.img"\nDSK2=/dev/vg/web\nCDR1=/srv/iso/x.iso');
  assert.match(text, /^RequiresMountsFor=\/etc\/qemu "\/srv\/my disks" \/srv\/iso$/m);
  assert.match(text, /^DeviceAllow=\/dev\/vg\/web rw$/m);
});

test('text of the machine means nothing to systemd', () => {
  const text = dropIn('DESC="100% %h $HOME \\\\\\\\"\nDSK1="/srv/50%/a.img"');
  assert.match(text, /^Description=QEMU machine web: 100%% %%h \$HOME$/m);
  assert.match(text, /^RequiresMountsFor=\/etc\/qemu \/srv\/50%%$/m);
});

test('whatever a description ends in or has in it, no line of the unit is lost to it', () => {
  const { target, config } = machine('web', '');
  for (const description of [
    'a\\',
    'a\\\\',
    'a\\ \\ ',
    'a\nType=oneshot',
    'a\rType=oneshot',
    'a\0\u2028b',
    'é'.repeat(2 ** 20),
  ]) {
    const [file] = planUnits([{ target, config: { ...config, description } }], { lanes: 1 });
    const lines = (file?.text ?? '').split(/[\r\n\0]/);
    const at = lines.findIndex((line) => line.startsWith('Description='));
    assert.match(lines[at] ?? '', /^Description=QEMU machine web: .{1,210}$/u);
    assert.doesNotMatch(lines[at] ?? '', /\\$/);
    assert.equal(lines[at + 1], 'SourcePath=/etc/qemu/web-qemu.cfg');
  }
});

test('REQUIRES starts machines and orders them, and binds none to the end of another', () => {
  const files = filesOf(machine('db', ''), machine('web', 'REQUIRES=db'));
  const text = files['qemu@web.service.d/50-machine.conf'] ?? '';
  assert.match(text, /^Wants=qemu@db\.service\nAfter=qemu@db\.service$/m);
  assert.doesNotMatch(text, /^(Requires|BindsTo|PartOf|Requisite)=/m);
});

test('mistakes in files are not tried again by RESTART', () => {
  assert.match(dropIn('RESTART=always'), /^ExecStopPost=.*QEMU_\(CONFIG_INVALID.*--no-block.*stop qemu@web\.service/m);
  assert.doesNotMatch(dropIn('RESTART=no'), /ExecStopPost/);
});

test('only the unit of a machine with net=passt lets it make the namespaces that passt shuts itself into', () => {
  assert.match(
    dropIn('NIC1=virtio-net-pci,net=passt'),
    /^RestrictNamespaces=user ipc mnt pid uts\nSystemCallFilter=@mount$/m,
  );
  assert.doesNotMatch(dropIn('NIC1=virtio-net-pci,net=user'), /RestrictNamespaces|SystemCallFilter/);
});

test('the end of the host waits until the last of hanging machines had its time, and only then is it forced', () => {
  const shutdown = [{ name: 'poweroff.target', limitSeconds: 1800 }];
  const path = 'poweroff.target.d/50-qemu-machines.conf';
  const plan = (...machines: readonly PlannedMachine[]): string | undefined =>
    planUnits(machines, { lanes: 1, shutdown }).find((file) => file.path === path)?.text;
  const three = [10, 20, 30].map((order) => machine(`m${order}`, `STOPDELAY=600\nBOOTORDER=${order}`));
  // Each has 600 s, 30 s for the other rungs and 60 s for a busy host.
  assert.match(plan(...three) ?? '', /^JobTimeoutSec=2670$/m);
  assert.equal(plan(...three.slice(0, 1)), undefined);
  const together = ['a', 'b', 'c'].map((name) => machine(name, 'STOPDELAY=600'));
  assert.equal(plan(...together), undefined);
  assert.equal(plan(), undefined);
});

test('files that are not there are read again when what may be mounted above them is', () => {
  const files = planUnits([machine('a', '')], { lanes: 1, missing: ['/srv/my-vms/x.y/b-qemu.cfg'] });
  const text = (path: string): string => files.find((file) => file.path === path)?.text ?? '';
  assert.match(text('qemu.target.d/50-late.conf'), /^Wants=qemu-late\.service$/m);
  assert.deepEqual(text('qemu-late.service.d/50-mounts.conf').match(/^After=.*$/gm), [
    'After=srv.mount',
    String.raw`After=srv-my\x2dvms.mount`,
    String.raw`After=srv-my\x2dvms-x.y.mount`,
  ]);
  assert.match(
    text('qemu-late.service.d/50-mounts.conf'),
    /^ExecStartPre=-.*\/stat "\/srv\/my-vms\/x\.y\/b-qemu\.cfg"$/m,
  );
  assert.match(text('qemu-reload.path.d/50-machines.conf'), /^PathChanged=\/srv\/my-vms\/x\.y\/b-qemu\.cfg$/m);
});

test('every way to write AUTOSTART counts in a file with mistakes, but a clear no', () => {
  for (const text of [
    'AUTOSTART=on',
    'AUTOSTART=yes',
    'AUTOSTART="ON"',
    'RAM=x\n autostart = True # now',
    'AUTOSTART="on',
    'AUTOSTART=perhaps',
  ])
    assert.equal(autostartIn(text), true, text);
  for (const text of ['{"autostart": true,', '{"name":"x","autostart":"yes"}', '{\n "autostart" : true\n'])
    assert.equal(autostartIn(text), true, text);
  for (const text of ['AUTOSTART=off', 'AUTOSTART=No', 'AUTOSTART=', '{"autostart":false'])
    assert.equal(autostartIn(text), false, text);
  for (const text of ['', '#AUTOSTART=on', 'RAM=x', 'XAUTOSTART=on']) assert.equal(autostartIn(text), undefined, text);
});

test('machines with AUTOSTART are wanted at boot, and no others', () => {
  const files = filesOf(machine('a', 'AUTOSTART=on'), machine('b', ''), machine('c', 'AUTOSTART=on'));
  const wants = [...(files['qemu.target.d/50-autostart.conf'] ?? '').matchAll(/^Wants=(.*)$/gm)].map(
    ([, name]) => name,
  );
  assert.deepEqual(wants, ['qemu@a.service', 'qemu@c.service']);
  assert.equal(filesOf(machine('b', ''))['qemu.target.d/50-autostart.conf'], undefined);
});

test('a machine with mistakes in its file is wanted too when it is to start, so that its unit fails visibly', () => {
  const files = planUnits([machine('a', 'AUTOSTART=on')], { lanes: 2, broken: ['b'] });
  const target = files.find(({ path }) => path === 'qemu.target.d/50-autostart.conf');
  assert.match(target?.text ?? '', /^Wants=qemu@a\.service\nWants=qemu@b\.service$/m);
});

test('the unit of a short name refuses to start, and says which one is right', () => {
  const files = filesOf(machine('web-prod', '', 'web'));
  const text = files['qemu@web.service.d/50-short-name.conf'] ?? '';
  assert.match(text, /^ExecStartPre=.*qemu@web-prod\.service.*exit 6/m);
  assert.equal(filesOf(machine('web', ''))['qemu@web.service.d/50-short-name.conf'], undefined);
});

test('the drop-in of a short name takes nothing from the unit, and one that is in use has none', () => {
  const text = filesOf(machine('web-prod', '', 'web'))['qemu@web.service.d/50-short-name.conf'] ?? '';
  assert.doesNotMatch(text, /^(?:ExecStart|ExecStop|ExecStopPost|ExecReload|PIDFile|Type)=/m);
  const files = planUnits([machine('web-prod', '', 'web')], { lanes: 2, taken: ['web'] });
  assert.deepEqual(
    files.map(({ path }) => path).filter((path) => path.startsWith('qemu@web.service.d')),
    [],
  );
});

test('as many machines start at a time as there are lanes, but those with hooks may start others', () => {
  const names = ['a', 'b', 'c'];
  const files = filesOf(...names.map((name) => machine(name, '')), machine('d', 'PRECMD=/bin/true'));
  const lanes = [...names, 'd'].map(
    (name) => /QEMU_INIT_LANE=(.*)/.exec(files[`qemu@${name}.service.d/50-machine.conf`] ?? '')?.[1],
  );
  assert.deepEqual(lanes, ['0', '1', '0', 'of-d']);
});

test('every file of a machine is watched for changes', () => {
  const text = filesOf(machine('a', ''), machine('b', ''))['qemu-reload.path.d/50-machines.conf'] ?? '';
  assert.match(text, /^PathChanged=\/etc\/qemu\/a-qemu\.cfg\nPathChanged=\/etc\/qemu\/b-qemu\.cfg$/m);
});

test('a machine without stop hooks is stopped outside of the sandbox, by the commands of the installed unit', () => {
  const unit = 'ExecStart=/usr/bin/x\nExecStop=/bin/sh -c stop %i\nExecStopPost=-/bin/ended\nExecStopPost=+/bin/more\n';
  const [file] = planUnits([machine('web', 'RAM=32M\n')], { lanes: 1, unit });
  assert.match(
    file?.text ?? '',
    /^ExecStop=\nExecStop=\+\/bin\/sh -c stop %i\nExecStopPost=\nExecStopPost=\+-\/bin\/ended\nExecStopPost=\+\/bin\/more$/m,
  );
  for (const hook of ['PRESTOP', 'POSTSTOP']) {
    const [other] = planUnits([machine('web', `${hook}=/bin/true\n`)], { lanes: 1, unit });
    assert.doesNotMatch(other?.text ?? '', /^ExecStop/m);
  }
});

test('machines with BACKUP= have a timer, whose service waits for the mount of the destination', () => {
  const files = filesOf(machine('web', 'BACKUP="/srv/my 100% backup,keep=7,rate=50M"'), machine('db', ''));
  assert.match(files['timers.target.d/50-qemu-backup.conf'] ?? '', /^Wants=qemu-backup\.target$/m);
  assert.equal(
    files['qemu-backup.target.d/50-machines.conf']
      ?.split('\n')
      .filter((line) => line.startsWith('Wants='))
      .join(),
    'Wants=qemu-backup@web.timer',
  );
  const service = files['qemu-backup@web.service.d/50-machine.conf'] ?? '';
  assert.match(service, /^RequiresMountsFor="\/srv\/my 100%% backup"$/m);
  assert.deepEqual(
    Object.keys(filesOf(machine('db', ''))).filter((path) => path.includes('backup')),
    [],
  );
});

test('limits are resource control of the unit, of the host and of a user', () => {
  const limited = 'LIMIT_CPU=1.5\nLIMIT_MEMORY=3G\nLIMIT_IO=100M\nCPUSET=0-3, 8\nDSK1=/srv/vms/a.img\nDSK2=/dev/vg/b\n';
  const lines = ['CPUQuota=150%', 'MemoryMax=3221225472', 'MemorySwapMax=0', 'AllowedCPUs=0-3,8'];
  const io = ['/srv/vms', '/dev/vg/b'].flatMap((path) =>
    ['Read', 'Write'].map((way) => `IO${way}BandwidthMax=${path} 104857600`),
  );
  for (const plan of [planUnits([machine('a', limited)], { lanes: 1 }), planUserUnits([machine('a', limited)], [])]) {
    const text = plan.find(({ path }) => path === 'qemu@a.service.d/50-machine.conf')?.text.split('\n') ?? [];
    assert.deepEqual(
      text.filter((line) => /^(?:CPUQuota|Memory|IO|AllowedCPUs)/.test(line)).sort(),
      [...lines, ...io].sort(),
    );
  }
  const free = planUnits([machine('a', '')], { lanes: 1 }).map(({ text }) => text);
  assert.ok(!free.join('').includes('MemoryMax'));
});
