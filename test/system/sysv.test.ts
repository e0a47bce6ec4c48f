import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import { container, installProject } from '../support/nspawn.ts';
import { INIT_LOG, putSysvInit, SYSV_INIT } from '../support/sysv-init.ts';
import { addLinux, assertClean, isUp } from './linux-machine.ts';
import { addMachine, assertInOrder, consoleOf, statesOf, statusesOf } from './machines.ts';

describe('a host with SysV init', () => {
  const host = container({ after: (body) => after(body) }, SYSV_INIT);

  before(async () => {
    putSysvInit(host);
    await host.boot();
    installProject(host);
  });

  test('install enables the init script, whatever there is of systemd', () => {
    assert.ok(existsSync(join(host.dir, 'usr/lib/systemd/systemd')));
    const linked = (level: string): boolean =>
      readdirSync(join(host.dir, `etc/rc${level}.d`)).some((name) => name.endsWith('qemu-init'));
    assert.deepEqual(['0', '1', '2', '3', '4', '5', '6', 'S'].filter(linked), ['0', '1', '2', '3', '4', '5', '6']);
    assert.equal(host.run('service qemu-init status').code, 3);
  });

  test('machines come up at boot in the order of BOOTORDER and REQUIRES', async () => {
    addMachine(host, 'db', 'AUTOSTART=on\nBOOTORDER=60\n');
    addMachine(host, 'web', 'AUTOSTART=on\nBOOTORDER=20\nREQUIRES=db\n');
    addMachine(host, 'app', 'AUTOSTART=on\nBOOTORDER=70\n');
    addMachine(host, 'spare', 'BOOTORDER=10\nSTOPDELAY=1\n', { deaf: true });
    await host.powerOff();
    await host.boot();
    assert.deepEqual(statesOf(host), { db: 'running', web: 'running', app: 'running', spare: 'stopped' });
    assertInOrder(host.read(INIT_LOG), ['networking start', 'db: started', 'web: started', 'app: started']);
  });

  test('service knows the actions and the codes of LSB', () => {
    const call = (action: string): number => host.run(`service qemu-init ${action}`).code;
    const actions = ['status', 'stop', 'stop', 'status', 'start', 'start', 'status', 'force-reload', 'dance'];
    assert.deepEqual(actions.map(call), [0, 0, 0, 3, 0, 0, 0, 0, 2]);
    assert.equal(call('restart'), 0);
    assert.deepEqual(statesOf(host), { db: 'running', web: 'running', app: 'running', spare: 'stopped' });
  });

  test('an administrator starts a machine without systemd being asked', () => {
    // All of it is on the disk, but would not do it.
    assert.notEqual(host.run('systemctl start qemu@spare').code, 0);
    const { code, stdout, stderr } = host.run('qemu-init start spare');
    assert.equal(code, 0, stdout);
    assert.doesNotMatch(stderr, /systemd|error/);
    assert.equal(host.run('qemu-init doctor').code, 0, host.run('qemu-init doctor').stdout);
  });

  test('poweroff ends the guests by the power button, before processes are killed and the network goes', async () => {
    for (const name of ['db', 'web', 'app'])
      await until(`${name} is up`, () => consoleOf(host, name).includes('ready'));
    addLinux(host, 'linux');
    host.sh('qemu-init start linux');
    await isUp(host, 'linux', 1);
    await host.powerOff();
    const log = host.read(INIT_LOG);
    for (const name of ['db', 'web', 'app']) {
      assertInOrder(log, [`${name}: stopped by powerdown`, 'Asking all remaining processes', 'networking stop']);
    }
    // It is deaf; nobody pulls its plug before its STOPDELAY is over, either.
    assertInOrder(log, ['spare: stopped by quit', 'Asking all remaining processes']);
  });

  test('what was started last was asked first, and the guests themselves ended their machines', async () => {
    await host.boot();
    assertClean(host, 'linux', 'poweroff');
    const ends = statusesOf(host).flatMap(({ name, lastEnd }) =>
      lastEnd && name !== 'linux' ? [{ name, ...lastEnd }] : [],
    );
    assert.deepEqual(
      ends.toSorted((a, b) => a.at.localeCompare(b.at)).map(({ name, cause }) => `${name} ${cause}`),
      ['app guest-shutdown', 'web guest-shutdown', 'db guest-shutdown', 'spare quit'],
    );
  });

  test('after a power cut everything starts again', async () => {
    await host.cut();
    await host.boot();
    host.sh('sed -i /^linux=/d /etc/qemu/qemu-init.reg');
    assert.deepEqual(statesOf(host), { db: 'running', web: 'running', app: 'running', spare: 'stopped' });
    await host.powerOff();
  });
});
