import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeState, RUN_STATES, stateRule } from '../../../src/machine/control/run-state.ts';

test('a guest is asked to go down in every state in which it can be made to listen', () => {
  const statesOf = (wanted: string): string[] =>
    Object.entries(RUN_STATES)
      .filter(([, { button }]) => button === wanted)
      .map(([state]) => state)
      .sort();
  assert.deepEqual(statesOf('cont'), ['debug', 'io-error', 'paused', 'watchdog']);
  assert.deepEqual(statesOf('wake'), ['suspended']);
  assert.deepEqual(statesOf('off'), ['shutdown']);
  assert.deepEqual(statesOf('later'), ['colo', 'finish-migrate', 'restore-vm', 'save-vm']);
  assert.deepEqual(statesOf('never'), ['guest-panicked', 'inmigrate', 'internal-error', 'postmigrate', 'prelaunch']);
});

test('a guest that may run elsewhere, or that QEMU is busy with, is never let run', () => {
  for (const state of ['postmigrate', 'inmigrate', 'finish-migrate', 'save-vm', 'restore-vm', 'colo', 'preconfig'])
    assert.notEqual(stateRule(state).resume, 'cont', state);
});

test('a state that this version does not know is asked like one that runs, and told by its name', () => {
  assert.equal(stateRule('dreaming').button, 'press');
  assert.equal(stateRule('__proto__').button, 'press');
  assert.equal(describeState('dreaming'), 'dreaming');
  assert.equal(describeState('suspended', 'x'), 'suspended (the guest sleeps; x)');
});
