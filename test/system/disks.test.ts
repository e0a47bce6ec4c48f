import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import type { Container } from '../support/nspawn.ts';
import { addMachine, consoleOf, hostOfSuite, isActive, pidOf, statesOf } from './machines.ts';

describe('the disks of machines in units', () => {
  const host = hostOfSuite();
  const ready = (): Promise<void> => until('the guest is up', () => consoleOf(host, 'web').includes('ready'), 240_000);

  test('a power cut in the middle of a backup: the next one is full, says why, and restores to what the disk was', async () => {
    addMachine(host, 'web', 'DSK2=data.qcow2\nRESTART=on-failure\n');
    host.sh(`cd /etc/qemu; head -c 32M /dev/urandom >data.raw
      qemu-img convert -f raw -O qcow2 data.raw data.qcow2; qemu-img convert -f raw -O qcow2 web.img web.qcow2
      sed -i s/web.img/web.qcow2/ web-qemu.cfg; rm data.raw web.img; chown qemu *.qcow2; chmod 600 *.qcow2; mkdir -m 700 /srv/b; systemctl start qemu@web`);
    assert.match(host.sh('qemu-init backup create web /srv/b'), /full backup in/);
    write(host, 1);
    assert.match(host.sh('qemu-init backup create web /srv/b'), /incremental backup in/);
    write(host, 2);
    host.sh('qemu-init backup create web /srv/b --rate 256K >/dev/null 2>&1 &');
    await until('it copies', () => host.sh('qemu-init jobs web').includes('qi.backup.dsk2'));
    write(host, 3);
    await host.cut();
    await host.boot();
    const { stdout, stderr } = host.run('qemu-init status web');
    assert.match(`${stdout}${stderr}`, /an earlier command was interrupted: a backup to "\/srv\/b/);
    assert.doesNotMatch(host.sh('ls -A /srv/b/web'), /part/);
    host.sh('systemctl start qemu@web');
    const line = host.sh('qemu-init backup create web /srv/b 2>&1');
    assert.match(line, /full backup \(DSK\d has no bitmap of .*: .*QEMU or the host went down\)/);
    assert.match(host.sh('qemu-init backup verify /srv/b && ls -A /srv/b/web'), /^(?!.*part)/s);
    host.sh('qemu-init stop --force web; qemu-init restore /srv/b web --output /srv/out --disk DSK2');
    assert.match(host.sh('qemu-img compare /etc/qemu/data.qcow2 /srv/out/data.qcow2'), /identical/);
  });

  test('a revert ends and starts the machine in its unit, which stays what it is', async () => {
    host.sh('rm -f /var/log/qemu-init/web.console; systemctl start qemu@web');
    await ready();
    for (const how of ['', '--external']) {
      host.sh(`qemu-init snapshot create web "a$1" ${how}`, how);
      write(host, 9);
      const pid = pidOf(host, 'web');
      host.sh('qemu-init snapshot revert web "a$1"', how);
      assert.equal(isActive(host, 'web'), 'active');
      assert.notEqual(pidOf(host, 'web'), pid);
      assert.equal(host.show('qemu@web.service', 'MainPID'), `${pidOf(host, 'web')}`);
      assert.equal(host.show('qemu@web.service', 'NRestarts'), '0');
      assert.equal(statesOf(host)['web'], 'running');
    }
    host.sh('qemu-init snapshot create web warm --memory');
    const pid = pidOf(host, 'web');
    host.sh('qemu-init snapshot revert web warm');
    assert.deepEqual([isActive(host, 'web'), pidOf(host, 'web')], ['active', pid]);
    assert.equal(host.run('systemctl is-failed qemu@web').stdout, 'active\n');
    host.sh('systemctl stop qemu@web');
    // Of one that does not run nothing is started.
    host.sh('qemu-init snapshot revert web a--external');
    assert.deepEqual([isActive(host, 'web'), statesOf(host)['web']], ['inactive', 'stopped']);
  });
});

/** Writes to the second disk as its guest would. */
function write(host: Container, pattern: number): void {
  host.sh('qemu-cmd -c "qemu-io dsk2 \\"write -P $1 $2 4M\\"" web', `${pattern}`, `${pattern}M`);
}
