import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import { container, installProject } from '../support/nspawn.ts';
import { repoRoot } from '../support/repo.ts';
import { INIT_LOG, putOpenRc, removeSystemd, SYSV_INIT, useOpenRcInit } from '../support/sysv-init.ts';
import { addLinux, assertClean, isUp } from './linux-machine.ts';
import { addMachine, assertInOrder, consoleOf, statesOf } from './machines.ts';

const SCRIPT = '/etc/init.d/qemu-init';

describe('a host with OpenRC and without systemd', () => {
  const host = container({ after: (body) => after(body) }, SYSV_INIT);
  const runlevels = (): string[] => host.sh('ls -d /etc/runlevels/*/qemu-init').split('\n');
  /** What the init printed since the last call. */
  const news = (): string => {
    const log = host.read(INIT_LOG);
    host.write(INIT_LOG, '');
    return log;
  };

  before(async () => {
    putOpenRc(host);
    removeSystemd(host);
    await host.boot();
  });

  test('install brings a service of its own kind, makes user and folders, and uninstall takes the service away', () => {
    installProject(host);
    assert.match(host.read(SCRIPT), /^#!\/sbin\/openrc-run\n/);
    assert.deepEqual(runlevels(), ['/etc/runlevels/default/qemu-init']);
    assert.match(host.sh('id qemu'), /\(kvm\)/);
    assert.equal(host.sh('stat -c "%a %U" /var/lib/qemu-init /var/log/qemu-init'), '711 root\n711 root');
    host.sh('qemu-init uninstall');
    assert.equal(host.run('ls /etc/init.d/qemu-init /etc/runlevels/*/qemu-init').stdout, '');
    installProject(host);
    assert.deepEqual(runlevels(), ['/etc/runlevels/default/qemu-init']);
    assert.equal(host.run('rc-service qemu-init status').code, 3);
  });

  test('a machine that is started by hand is shut down with the host, though OpenRC did not start it', async () => {
    addMachine(host, 'db', 'AUTOSTART=on\nBOOTORDER=60\n');
    addMachine(host, 'web', 'AUTOSTART=on\nBOOTORDER=20\nREQUIRES=db\n');
    addMachine(host, 'app', 'AUTOSTART=on\nBOOTORDER=70\n');
    addMachine(host, 'bad', 'AUTOSTART=on\nDSK2=missing.img\n');
    addMachine(host, 'deaf', 'STOPDELAY=1\n', { deaf: true });
    host.sh('qemu-init start db');
    await until('db is up', () => consoleOf(host, 'db').includes('ready'));
    await host.powerOff();
    assertInOrder(news(), ['db: stopped by powerdown', 'Asking all remaining processes', 'networking stop']);
  });

  test('machines come up at boot in the order of BOOTORDER and REQUIRES, though one of them does not', async () => {
    await host.boot();
    const running = { db: 'running', web: 'running', app: 'running', bad: 'stopped', deaf: 'stopped' };
    assert.deepEqual(statesOf(host), running);
    assertInOrder(news(), ['networking start', 'db: started', 'web: started', 'app: started']);
    assert.match(host.sh('rc-status default'), /qemu-init +\[ +started +\]/);
  });

  test('rc-service and service start and stop them', () => {
    const call = (words: string): number => host.run(words).code;
    const words = ['stop', 'stop', 'status', 'start', 'start', 'status', 'reload', 'restart', 'status'];
    assert.deepEqual(
      words.map((word) => call(`rc-service qemu-init ${word}`)),
      [0, 0, 3, 0, 0, 0, 0, 0, 0],
    );
    assert.deepEqual(
      ['status', 'stop', 'status', 'start', 'status'].map((word) => call(`service qemu-init ${word}`)),
      [0, 0, 3, 0, 0],
    );
  });

  test('poweroff ends the guests by the power button, before processes are killed and the network goes', async () => {
    addLinux(host, 'linux');
    host.sh('qemu-init start deaf linux');
    for (const name of ['db', 'web', 'app'])
      await until(`${name} is up`, () => consoleOf(host, name).includes('ready'));
    await isUp(host, 'linux', 1);
    await host.powerOff();
    const log = news();
    for (const name of ['db', 'web', 'app']) {
      assertInOrder(log, [`${name}: stopped by powerdown`, 'Asking all remaining processes', 'networking stop']);
    }
    // Nobody pulls its plug before its STOPDELAY is over, either.
    assertInOrder(log, ['deaf: stopped by quit', 'Asking all remaining processes']);
  });

  test("the script of LSB, which Debian's package has, does the same", async () => {
    host.write(SCRIPT, readFileSync(join(repoRoot, 'etc/init.d/qemu-init'), 'utf8'));
    await host.boot();
    assertClean(host, 'linux', 'poweroff');
    assertInOrder(news(), ['db: started', 'web: started', 'app: started']);
    assert.match(host.sh('rc-status default'), /qemu-init +\[ +started +\]/);
    // This runs the script itself, which tells that there is one machine which cannot be started.
    assert.deepEqual(
      ['status', 'start', 'stop', 'status', 'start'].map((word) => host.run(`rc-service qemu-init ${word}`).code),
      [0, 6, 0, 3, 6],
    );
    for (const name of ['db', 'web', 'app'])
      await until(`${name} is up`, () => consoleOf(host, name).includes('ready'));
    await host.powerOff();
    const log = news();
    for (const name of ['db', 'web', 'app']) {
      assertInOrder(log, [`${name}: stopped by powerdown`, 'Asking all remaining processes', 'networking stop']);
    }
  });

  test('so does the shutdown of the init of OpenRC', async () => {
    host.write(SCRIPT, readFileSync(join(repoRoot, 'etc/openrc/qemu-init')));
    useOpenRcInit(host);
    await host.boot();
    assert.match(host.sh('readlink /proc/1/exe; rc-status default'), /^\/opt\/init\n[\s\S]*qemu-init +\[ +started +\]/);
    for (const name of ['db', 'web', 'app'])
      await until(`${name} is up`, () => consoleOf(host, name).includes('ready'));
    host.sh('exec openrc-shutdown --poweroff now');
    // It then sleeps for some seconds between SIGTERM and SIGKILL to all that is left.
    await until('all services are stopped', () => host.read(INIT_LOG).includes('networking stop'));
    const log = news();
    for (const name of ['db', 'web', 'app']) assertInOrder(log, [`${name}: stopped by powerdown`, 'networking stop']);
  });
});
