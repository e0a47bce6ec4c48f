import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import { LINUX_READY } from '../support/linux-guest.ts';
import { installProject } from '../support/nspawn.ts';
import { addLinux, assertClean, isUp } from './linux-machine.ts';
import { consoleOf, hostOfSuite, isActive } from './machines.ts';

/** Of three ends each: what goes wrong once in a while shows. */
const ROUNDS = 4;

describe('a Linux guest that writes to its file system, on a host with systemd', () => {
  const host = hostOfSuite();

  test('systemctl stop, systemctl restart and poweroff of the host let it unmount its file system', async () => {
    addLinux(host, 'linux');
    const check = (how: string): void => {
      assertClean(host, 'linux', how);
    };
    host.sh('systemctl daemon-reload');
    for (let boots = 0; boots < 3 * ROUNDS; ) {
      host.sh('systemctl start qemu@linux');
      await isUp(host, 'linux', ++boots);
      host.sh('systemctl restart qemu@linux');
      check('systemctl restart');
      await isUp(host, 'linux', ++boots);
      host.sh('systemctl stop qemu@linux');
      check('systemctl stop');
      host.sh('systemctl start qemu@linux');
      await isUp(host, 'linux', ++boots);
      await host.powerOff();
      await host.boot();
      check('poweroff');
    }
  });

  test('poweroff stops the guests of all machines, whichever way they were started, also while POSTCMD runs and when a unit was masked since', async () => {
    for (const name of ['direct', 'paused', 'slow', 'masked']) addLinux(host, name);
    host.sh('mkdir /srv/vm');
    addLinux(host, 'lone', '/srv/vm');
    host.sh('echo "POSTCMD=/bin/sleep 290" >>/etc/qemu/slow-qemu.cfg; systemctl daemon-reload');
    host.sh('qemu-init start --direct direct; qemu-init start /srv/vm/lone-qemu.cfg');
    host.sh('qemu-init start --paused paused; qemu-init resume paused; systemctl start --no-block qemu@slow');
    host.sh('systemctl start qemu@masked');
    const names = ['direct', 'paused', 'slow', 'lone', 'masked'];
    for (const name of names) await isUp(host, name, 1);
    // An installation from before that unit, upgraded while machines run.
    host.sh('systemctl stop qemu-strays.service');
    installProject(host);
    await until('the unit is active', () => host.show('qemu-strays.service', 'ActiveState') === 'active');
    // From then on systemd does not stop it with the host.
    host.sh('systemctl mask qemu@masked');
    assert.equal(host.show('qemu@slow', 'ActiveState'), 'activating');
    await host.powerOff();
    await host.boot();
    for (const name of names) assertClean(host, name, 'poweroff', name === 'lone' ? '/srv/vm' : undefined);
    // It is no machine's turn to wait for another that systemd does not stop.
    assert.equal(host.show('qemu-strays.service', 'LoadState'), 'loaded');
    assert.doesNotMatch(host.show('qemu-strays.service', 'After'), /qemu@|qemu-stop/);
  });

  test('systemctl stop during POSTCMD, and stop typed then, stop the guest by the power button and at once', async () => {
    for (const [boots, stop] of ['systemctl stop qemu@slow', 'qemu-init stop slow'].entries()) {
      host.sh('systemctl start --no-block qemu@slow');
      await isUp(host, 'slow', boots + 2);
      host.sh(stop);
      assertClean(host, 'slow', stop);
      assert.equal(host.show('qemu@slow', 'ActiveState'), 'inactive');
    }
  });

  test('a name that another machine takes over in the registry costs the machine that runs nothing', async () => {
    host.sh('qemu-init start /srv/vm/lone-qemu.cfg; cp /etc/qemu/slow-qemu.cfg /etc/qemu/other-qemu.cfg');
    await isUp(host, 'lone', 2);
    for (const call of ['qemu-init register lone other', 'EDITOR="sed -i \\$alone=other" qemu-init edit --registry']) {
      const { code, stderr } = host.run(call);
      assert.equal(code, 6, call);
      assert.match(stderr, /"lone".* name of a running machine/, call);
    }
    host.sh('echo lone=other >>/etc/qemu/qemu-init.reg; systemctl daemon-reload');
    assert.match(host.run('qemu-init stop lone').stderr, /"lone".* name of a running machine/);
    host.sh('systemctl stop qemu@lone');
    assertClean(host, 'lone', 'stop', '/srv/vm');
  });

  test('a shutdown of the host saves guests with ONSHUTDOWN=save, which go on after the boot; one without room is shut down', async () => {
    addLinux(host, 'kept');
    host.sh('for name in kept paused; do echo ONSHUTDOWN=save >>/etc/qemu/$name-qemu.cfg; done');
    host.sh('echo AUTOSTART=on >>/etc/qemu/kept-qemu.cfg; systemctl daemon-reload');
    host.sh('mkdir -p /var/lib/qemu-init/paused; mount -t tmpfs -o size=1m,mode=0700 none /var/lib/qemu-init/paused');
    host.sh('systemctl start qemu@kept qemu@direct qemu@paused');
    await isUp(host, 'kept', 1);
    for (const name of ['direct', 'paused']) await isUp(host, name, 2);
    await host.powerOff();
    await host.boot();
    for (const name of ['direct', 'paused']) assertClean(host, name, 'poweroff');
    const journal = (name: string, boot: number): string =>
      host.sh('journalctl --boot="$2" -u "qemu@$1" --output=cat', name, String(boot));
    assert.match(journal('paused', -1), /it is shut down, not saved: The state needs up to/);
    assert.match(journal('kept', -1), /kept: saved in [\d.]+ s/);
    await until('it goes on', () => isActive(host, 'kept') === 'active');
    assert.match(journal('kept', 0), /kept: goes on from its saved state/);
    assert.equal(consoleOf(host, 'kept').split(LINUX_READY).length, 2, 'it has not booted again');
    // Any other stop is as always.
    host.sh('systemctl stop qemu@kept');
    assertClean(host, 'kept', 'systemctl stop');
  });
});
