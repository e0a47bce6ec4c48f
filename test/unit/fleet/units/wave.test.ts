import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextWave, orderIn, stopJobsIn } from '../../../../src/fleet/service/units/wave.ts';

const JOBS = `
12 qemu@web.service  restart waiting
13 qemu@db.service   stop    running
14 qemu.target       stop    waiting
15 getty.target      start   waiting
`;

test('units that are to be stopped are told from those that are to be started', () => {
  assert.deepEqual(stopJobsIn(JOBS), ['qemu@web.service', 'qemu@db.service', 'qemu.target']);
  assert.deepEqual(stopJobsIn(''), []);
});

test('the order of units is read as systemctl prints it', () => {
  const order = orderIn('Id=a.service\nBefore=b.service shutdown.target\n\nBefore=\nId=b.service\n');
  assert.deepEqual(
    [...order],
    [
      ['a.service', ['b.service', 'shutdown.target']],
      ['b.service', []],
    ],
  );
});

test('a machine is stopped when all that systemd stops before it is down, and not before', () => {
  const order = {
    units: new Set(['db', 'web', 'app', 'other']),
    before: new Map([
      ['db', ['web', 'app', 'shutdown.target']],
      ['web', ['shutdown.target', 'not-stopped']],
      ['app', ['web']],
    ]),
  };
  assert.deepEqual(nextWave(order, ['db', 'web', 'app'], new Set()), ['web']);
  assert.deepEqual(nextWave(order, ['db', 'app'], new Set(['web'])), ['app']);
  assert.deepEqual(nextWave(order, ['db'], new Set(['web', 'app'])), ['db']);
});

test('a machine that something foreign is ordered after, or of which nothing is known, is left to its own unit', () => {
  const order = { units: new Set(['db', 'web', 'backup.service']), before: new Map([['db', ['backup.service']]]) };
  assert.deepEqual(nextWave(order, ['db', 'web'], new Set()), []);
});
