import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controlGroupFolders, unitIn } from '../../../src/system/services/systemd.ts';

test('the folder of a unit is the one below the only hierarchy of version 2', () => {
  assert.deepEqual(controlGroupFolders('0::/machine.slice/qemu@web.service\n', true), [
    '/sys/fs/cgroup/machine.slice/qemu@web.service',
  ]);
});

test('with version 1 each controller that systemd uses has its folder, and the others are left alone', () => {
  const text = [
    '12:pids:/machine.slice/qemu@web.service',
    '9:name=systemd:/machine.slice/qemu@web.service',
    '8:cpu,cpuacct:/machine.slice/qemu@web.service',
    '4:memory:/',
    '0::/machine.slice/qemu@web.service',
    '',
  ].join('\n');
  assert.deepEqual(controlGroupFolders(text, false), [
    '/sys/fs/cgroup/pids/machine.slice/qemu@web.service',
    '/sys/fs/cgroup/systemd/machine.slice/qemu@web.service',
    '/sys/fs/cgroup/cpu,cpuacct/machine.slice/qemu@web.service',
    '/sys/fs/cgroup/unified/machine.slice/qemu@web.service',
  ]);
});

test('a process in no unit has no folder to move anything into', () => {
  assert.deepEqual(controlGroupFolders('0::/..\n9:name=systemd:/\n', true), []);
});

test('the unit of a process is the one of the hierarchy that systemd uses, whatever else is mounted', () => {
  const mixed = '9:name=systemd:/\n0::/machine.slice/qemu@web.service\n';
  assert.equal(unitIn(mixed, true), 'qemu@web.service');
  assert.equal(unitIn('9:name=systemd:/machine.slice/qemu@web.service\n0::/\n', false), 'qemu@web.service');
  assert.equal(unitIn('0::/machine.slice/qemu@web.service\n', false), 'qemu@web.service');
  assert.equal(unitIn('1:name=systemd:/system.slice/x.service\n0::/\n', true), undefined);
});
