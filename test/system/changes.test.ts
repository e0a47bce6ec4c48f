import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/lab.ts';
import { addMachine, hostOfSuite } from './machines.ts';

/** Some of these fall in each step of taking over a change: the pause before it, the reload, and what comes after. */
const PHASES_MS = [0, 250, 480, 520, 560, 600, 640, 680, 720, 760, 800, 850, 900, 1000, 1200];

describe('changes in the files of machines, on a host with systemd', () => {
  const host = hostOfSuite();

  /** What systemd gives the machine to stop, in its own words. */
  const timeOf = (name: string): string => host.show(`qemu@${name}.service`, 'TimeoutStopUSec');
  const setDelay = (name: string, seconds: number): string =>
    host.sh(
      'sed -i "/^STOPDELAY=/d" "/etc/qemu/$1-qemu.cfg"; echo "STOPDELAY=$2" >>"/etc/qemu/$1-qemu.cfg"',
      ...[name, String(seconds)],
    );

  test('a changed STOPDELAY counts for a machine that runs, without a word to systemd', async () => {
    addMachine(host, 'patient', 'STOPDELAY=5\n');
    host.sh('qemu-init start patient');
    assert.equal(timeOf('patient'), '1min 35s');
    setDelay('patient', 500);
    await until('systemd knows', () => timeOf('patient') === '9min 50s');
  });

  test('no change is lost, also one that comes while another is taken over', async () => {
    for (const [round, phase] of PHASES_MS.entries()) {
      host.sh('echo "# $1" >>/etc/qemu/qemu-init.reg', String(round));
      await sleep(phase);
      // In full minutes, with the 90 seconds that systemd gives in addition.
      setDelay('patient', 60 * (round + 10) - 90);
      await until(`systemd knows of change ${round}`, () => timeOf('patient') === `${round + 10}min`);
      await until('it is done', () => host.show('qemu-reload.service', 'ActiveState') === 'inactive');
    }
  });

  test('the units of a file with mistakes are made when these are corrected', async () => {
    addMachine(host, 'wrong', 'RAM=lots\nAUTOSTART=on\n');
    await until('its mistake is seen', () => host.show('qemu.target', 'Wants').includes('qemu@wrong.service'));
    assert.equal(timeOf('wrong'), '2min 30s');
    host.sh('sed -i "s/^RAM=lots/STOPDELAY=510/" /etc/qemu/wrong-qemu.cfg');
    await until('systemd knows', () => timeOf('wrong') === '10min');
    host.sh('rm /etc/qemu/wrong*; sed -i /^wrong=/d /etc/qemu/qemu-init.reg');
  });

  test('a start sees a change that nothing has told to systemd', () => {
    addMachine(host, 'unseen', 'STOPDELAY=5\n');
    host.sh('systemctl stop qemu-reload.path; systemctl daemon-reload');
    // The unit is not loaded yet: systemd takes the time of this file for that of the unit.
    setDelay('unseen', 510);
    assert.equal(host.show('qemu@unseen.service', 'NeedDaemonReload'), 'no');
    host.sh('qemu-init start unseen');
    assert.equal(timeOf('unseen'), '10min');
    setDelay('unseen', 570);
    host.sh('echo DESC=x >>/etc/qemu/defaults-qemu.cfg; qemu-init stop --force unseen; qemu-init start unseen');
    assert.equal(timeOf('unseen'), '11min');
    host.sh('systemctl start qemu-reload.path; qemu-init stop --force --all');
  });
});
