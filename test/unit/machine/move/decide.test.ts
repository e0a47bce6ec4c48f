import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  destinationStep,
  type MovePhase,
  mayLetRun,
  mayRun,
  type Noted,
  sourceStep,
} from '../../../../src/machine/move/decide.ts';

interface Sides {
  readonly source: Noted;
  /** `none`: there is no such machine there. */
  readonly destination: Noted | 'none';
}

const source = (phase: MovePhase): Noted => ({ role: 'source', phase });
const destination = (phase: MovePhase): Noted => ({ role: 'destination', phase });

/** All that is noted, in this order; a kill may come after each. */
const WRITES: readonly Partial<Sides>[] = [
  { source: source('copying') },
  { destination: destination('copying') },
  { destination: destination('switching') },
  { source: source('switching') },
  { source: source('handed-over') },
  { destination: destination('released') },
  { destination: undefined },
];

function runsAt({ source: one, destination: other }: Sides): number {
  return Number(mayRun(one)) + Number(other !== 'none' && mayRun(other));
}

function settleSource(sides: Sides): Sides {
  const { source: noted } = sides;
  if (noted === undefined || noted === 'damaged') return sides;
  return sourceStep(noted.phase) === 'keep' ? { ...sides, source: undefined } : sides;
}

function settleDestination(sides: Sides, knows: boolean): Sides {
  const { source: theirs, destination: noted } = sides;
  if (noted === undefined || noted === 'none' || noted === 'damaged') return sides;
  const isHandedOver = theirs !== undefined && theirs !== 'damaged' && theirs.phase === 'handed-over';
  const seen = theirs === 'damaged' || !knows ? 'unknown' : isHandedOver ? 'handed-over' : 'not-handed-over';
  const step = destinationStep(noted.phase, seen);
  if (step === 'wait') return sides;
  return { ...sides, destination: step === 'release' ? undefined : 'none' };
}

test('whenever a move is killed, at most one side may run the guest, and exactly one once both are set right', () => {
  let sides: Sides = { source: undefined, destination: 'none' };
  for (const [at, write] of WRITES.entries()) {
    sides = { ...sides, ...write };
    assert.ok(runsAt(sides) <= 1, `after step ${at}`);
    const both = [settleDestination(settleSource(sides), true), settleSource(settleDestination(sides, true))];
    for (const after of both) assert.equal(runsAt(after), 1, `set right after step ${at}: ${JSON.stringify(after)}`);
    for (const one of [settleSource(sides), settleDestination(sides, true), settleDestination(sides, false)]) {
      assert.ok(runsAt(one) <= 1, `one side set right after step ${at}: ${JSON.stringify(one)}`);
    }
  }
});

test('a destination that cannot ask its source keeps what it has from the moment on at which that may hand over', () => {
  assert.equal(destinationStep('copying', 'unknown'), 'give-up');
  assert.equal(destinationStep('switching', 'unknown'), 'wait');
  assert.equal(destinationStep('released', 'unknown'), 'release');
});

test('a guest that stands still for the last part of its move is its own, and is not let run by a command', () => {
  assert.equal(mayRun(source('switching')), true);
  assert.equal(mayLetRun(source('switching')), false);
  assert.equal(mayLetRun(source('copying')), true);
  assert.equal(mayLetRun(destination('released')), true);
  assert.equal(mayLetRun(undefined), true);
});

test('a source that has kept its guest runs it, whether the other host knows that or not', () => {
  assert.deepEqual([mayRun(source('kept')), mayLetRun(source('kept')), sourceStep('kept')], [true, true, 'keep']);
});

test('a note that is damaged lets nobody run', () => {
  assert.equal(mayRun('damaged'), false);
});
