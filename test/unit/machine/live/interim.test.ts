import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../../src/config/machine-config.ts';
import type { MachineConfig } from '../../../../src/config/types.ts';
import { interimConfig, needsInterim } from '../../../../src/machine/live/interim.ts';
import type { RunRecord } from '../../../../src/machine/run/record.ts';

function config(lines: string): MachineConfig {
  const { config: found } = parseMachineConfig(lines, { path: '/etc/qemu/web-qemu.cfg' });
  assert.ok(found);
  return found;
}

const recorded = (slot: number | undefined, isInterim = false): RunRecord =>
  Object.assign(Object.create(null), { slot, isInterim });

test('only a machine with something that two QEMUs cannot have goes on for a moment in one without', () => {
  const plain = config('VNC=off\nNIC1=virtio-net-pci,net=user\n');
  assert.equal(needsInterim(plain, recorded(undefined)), false);
  assert.equal(needsInterim(plain, undefined), false);
  assert.equal(needsInterim(plain, recorded(0)), true);
  assert.equal(needsInterim(plain, recorded(0, true)), false, 'it is in one already');
  for (const lines of [
    'VNC=on\n',
    'VNC=off\nNIC1=virtio-net-pci\n',
    'VNC=off\nNIC1=virtio-net-pci,net=passt\n',
    'VNC=off\nNIC1=virtio-net-pci,net=user,hostfwd=tcp:127.0.0.1:2222-:22\n',
  ]) {
    assert.equal(needsInterim(config(lines), recorded(undefined)), true, lines);
  }
});

test('what listens is left out for a moment, and no device', () => {
  const nics = 'NIC1=virtio-net-pci\nNIC2=e1000,net=passt\nNIC3=e1000,net=user,hostfwd=tcp:127.0.0.1:2222-:22\n';
  const less = interimConfig(config(`VNC=on\n${nics}`));
  assert.deepEqual(less.vnc, { kind: 'off' });
  assert.deepEqual(
    less.nics.map(({ model, net, hostForwards }) => [model, net, hostForwards.length]),
    [
      ['virtio-net-pci', 'bridge', 0],
      ['e1000', 'none', 0],
      ['e1000', 'user', 0],
    ],
  );
});
