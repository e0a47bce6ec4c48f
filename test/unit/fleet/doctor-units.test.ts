import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { checkMemory } from '../../../src/fleet/check/host/memory.ts';
import { spanSeconds } from '../../../src/system/services/shutdown-targets.ts';

const { config } = parseMachineConfig('', { path: '/etc/qemu/web-qemu.cfg' });
assert.ok(config);

test('a time span of systemctl is understood', () => {
  assert.equal(spanSeconds('2min 30s'), 150);
  assert.equal(spanSeconds('1h'), 3600);
  assert.equal(spanSeconds('1d 1h 1s'), 90_001);
  assert.equal(spanSeconds('500ms'), 0.5);
  assert.equal(spanSeconds('90'), 90);
  assert.equal(spanSeconds('infinity'), Number.POSITIVE_INFINITY);
});

test('memory that machines promise together is more than the host has', () => {
  const machine = (autostart: boolean) => ({ ...config, autostart, memoryBytes: 2 ** 30 });
  assert.deepEqual(checkMemory([machine(true), machine(true), machine(false)], 2 ** 31), []);
  const [finding, ...others] = checkMemory([machine(true), machine(true), machine(true)], 2 ** 31);
  assert.deepEqual(others, []);
  assert.equal(finding?.severity, 'warning');
  assert.match(finding?.detail ?? '', /3 machines .* 3072 MiB .* 2048 MiB/);
});
