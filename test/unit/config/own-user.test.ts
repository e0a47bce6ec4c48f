import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { ownUserName } from '../../../src/config/own-user.ts';

const machineName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/);

test('RUNAS=auto is a user for the machine alone, named after it', () => {
  const { config } = parseMachineConfig('RUNAS=auto\n', { path: '/etc/qemu/web-qemu.cfg' });
  assert.deepEqual([config?.runAs, config?.ownUser], ['qi-web', true]);
  const named = parseMachineConfig('RUNAS=qemu\n', { path: '/etc/qemu/web-qemu.cfg' }).config;
  assert.deepEqual([named?.runAs, named?.ownUser], ['qemu', false]);
  const elsewhere = parseMachineConfig('RUNAS=auto\n', { path: '/r/etc/qemu/web-qemu.cfg', etcDir: '/r/etc/qemu' });
  assert.match(elsewhere.config?.runAs ?? '', /^qi-web_[0-9a-f]{10}$/);
});

test('every name of a machine makes a name that useradd takes everywhere', () => {
  fc.assert(
    fc.property(machineName, fc.constantFrom('/etc/qemu', '/tmp/root/etc/qemu'), (name, etcDir) => {
      assert.match(ownUserName(name, etcDir), /^qi-[a-z0-9_-]{1,28}$/);
    }),
  );
});

test('two machines never have one user', () => {
  fc.assert(
    fc.property(machineName, machineName, (one, other) => {
      const [first, second] = [one, other].map((name) => ownUserName(name, '/etc/qemu'));
      assert.equal(first === second, one === other);
      assert.notEqual(ownUserName(one, '/etc/qemu'), ownUserName(one, '/r/etc/qemu'));
    }),
  );
  const long = 'a'.repeat(39);
  assert.notEqual(ownUserName(`${long}b`, '/etc/qemu'), ownUserName(`${long}c`, '/etc/qemu'));
  // A name that looks like one with a hash.
  const hashed = ownUserName('Web', '/etc/qemu');
  assert.notEqual(ownUserName(hashed.slice(3), '/etc/qemu'), hashed);
});
