import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addLinux, assertClean, isUp } from './linux-machine.ts';
import { hostOfSuite } from './machines.ts';

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

  test('poweroff stops the guests of all machines, whichever way they were started, also while POSTCMD runs', async () => {
    for (const name of ['direct', 'paused', 'slow']) addLinux(host, name);
    host.sh('mkdir /srv/vm');
    addLinux(host, 'lone', '/srv/vm');
    host.sh('echo "POSTCMD=/bin/sleep 290" >>/etc/qemu/slow-qemu.cfg; systemctl daemon-reload');
    host.sh('qemu-init start --direct direct; qemu-init start /srv/vm/lone-qemu.cfg');
    host.sh('qemu-init start --paused paused; qemu-init resume paused; systemctl start --no-block qemu@slow');
    const names = ['direct', 'paused', 'slow', 'lone'];
    for (const name of names) await isUp(host, name, 1);
    assert.equal(host.show('qemu@slow', 'ActiveState'), 'activating');
    await host.powerOff();
    await host.boot();
    for (const name of names) assertClean(host, name, 'poweroff', name === 'lone' ? '/srv/vm' : undefined);
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
});
