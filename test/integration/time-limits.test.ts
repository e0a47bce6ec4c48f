import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MachineManager } from '../../src/fleet/machine-manager.ts';
import { TransientMachine } from '../../src/machine/library/transient-machine.ts';
import { machinePaths, resolvePaths } from '../../src/system/paths.ts';
import { tempDir } from '../support/temp-root.ts';

for (const bad of [Number.NaN, -1, null, '100']) {
  const value = bad as number;
  test(`a time limit or number of machines of ${String(bad)} (${typeof bad}) is refused before anything is done`, async (t) => {
    const fleet = new MachineManager(resolvePaths({ root: tempDir(t) }, {}, 0, '/'));
    const target = {
      longName: 'web',
      shortName: undefined,
      configPath: '/nowhere/web-qemu.cfg',
      files: machinePaths(fleet.host.paths, 'web'),
    };
    const refused = { code: 'QEMU_USAGE' };
    await assert.rejects(fleet.stop(target, { stopDelayMs: value }), refused);
    await assert.rejects(fleet.stop(target, { deadline: value }), refused);
    await assert.rejects(fleet.stopMany([], { stopDelayMs: value }), refused);
    await assert.rejects(fleet.stopMany([], { deadlineMs: value }), refused);
    await assert.rejects(fleet.stopMany([], { parallel: value }), refused);
    await assert.rejects(fleet.startMany([], { parallel: value }), refused);
    const machine = new TransientMachine();
    await assert.rejects(machine.launch({ timeoutMs: value }), refused);
    await assert.rejects(machine.shutdown({ timeoutMs: value }), refused);
    assert.equal(machine.isRunning(), false);
  });
}

for (const bad of [0, 1.5, Infinity]) {
  test(`a number of machines at a time of ${bad} is refused`, async (t) => {
    const fleet = new MachineManager(resolvePaths({ root: tempDir(t) }, {}, 0, '/'));
    const refused = { code: 'QEMU_USAGE', message: /^parallel must be a whole number from 1/ };
    await assert.rejects(fleet.stopMany([], { parallel: bad }), refused);
    await assert.rejects(fleet.startMany([], { parallel: bad }), refused);
  });
}
