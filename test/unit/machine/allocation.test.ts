import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MonitorConfig } from '../../../src/config/monitor-config.ts';
import { allocationOf, VNC_BASE_PORT } from '../../../src/machine/allocation.ts';

const monitor: MonitorConfig = { monitorPort: 30320, monitor: 'tcp', tls: 'psk', vncDisplay: 0 };

test('the first slots have the ports that the monitor protocol page tells of', () => {
  assert.deepEqual(allocationOf(0, monitor), { slot: 0, monitorPort: 30320, controlPort: 30420, vncDisplay: 0 });
  assert.deepEqual(allocationOf(99, monitor), { slot: 99, monitorPort: 30419, controlPort: 30519, vncDisplay: 99 });
  assert.deepEqual(allocationOf(100, monitor), { slot: 100, monitorPort: 30520, controlPort: 30620, vncDisplay: 100 });
});

test('CTLPORT is always MONPORT+100, and no port or display is given twice', () => {
  const ports = new Set<number>();
  const displays = new Set<number>();
  for (let slot = 0; slot < 1000; slot++) {
    const { monitorPort = 0, controlPort = 0, vncDisplay = -1 } = allocationOf(slot, monitor) ?? {};
    assert.equal(controlPort, monitorPort + 100);
    for (const port of [monitorPort, controlPort]) {
      assert.ok(!ports.has(port), `port ${port} of slot ${slot} is given twice`);
      ports.add(port);
    }
    displays.add(vncDisplay);
  }
  assert.equal(displays.size, 1000);
});

test('a slot past the last port or display is none', () => {
  assert.equal(allocationOf(0, { ...monitor, monitorPort: 65335 })?.controlPort, 65435);
  assert.equal(allocationOf(100, { ...monitor, monitorPort: 65335 })?.controlPort, undefined);
  assert.equal(allocationOf(100, { ...monitor, monitorPort: 65335 }), undefined);
  assert.equal(allocationOf(0, { ...monitor, vncDisplay: 65535 - VNC_BASE_PORT })?.vncDisplay, 59635);
  assert.equal(allocationOf(1, { ...monitor, vncDisplay: 65535 - VNC_BASE_PORT }), undefined);
});

test('MONITOR=off leaves the slot and its display', () => {
  assert.deepEqual(allocationOf(7, { ...monitor, monitor: 'off' }), {
    slot: 7,
    monitorPort: undefined,
    controlPort: undefined,
    vncDisplay: 7,
  });
});
