import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planStop, stopLimitMs } from '../../../src/machine/stop/stop-plan.ts';

const wish = { method: 'auto', stopDelayMs: 60_000, noKill: false, force: false } as const;

test('the ladder asks by button and agent, then quits, then sends SIGTERM and SIGKILL', () => {
  assert.deepEqual(planStop(wish), [
    { kind: 'ask', powerButton: true, agent: true, timeoutMs: 60_000, repeatMs: 10_000 },
    { kind: 'quit', timeoutMs: 15_000 },
    { kind: 'sigterm', timeoutMs: 5_000 },
    { kind: 'sigkill', timeoutMs: 10_000 },
  ]);
  assert.equal(stopLimitMs(planStop(wish)), 90_000);
});

test('STOPMETHOD says who is asked', () => {
  const asked = (method: 'auto' | 'acpi' | 'agent'): unknown => {
    const [step] = planStop({ ...wish, method });
    return step?.kind === 'ask' ? [step.powerButton, step.agent] : step;
  };
  assert.deepEqual(asked('auto'), [true, true]);
  assert.deepEqual(asked('acpi'), [true, false]);
  assert.deepEqual(asked('agent'), [false, true]);
});

test('--no-kill only asks, and --force does not ask', () => {
  const kinds = (more: object): string[] => planStop({ ...wish, ...more }).map(({ kind }) => kind);
  assert.deepEqual(kinds({ noKill: true }), ['ask']);
  assert.deepEqual(kinds({ force: true }), ['quit', 'sigterm', 'sigkill']);
});
