/**
 * How far a move is, as each side has noted it before the step: see {@link MoveRecord}. `kept`: the source has given it up,
 * and goes on; the destination, on another host, could not be told that yet.
 */
export type MovePhase = 'copying' | 'switching' | 'handed-over' | 'released' | 'kept';

/** Which end of a move a machine is. */
export type MoveRole = 'source' | 'destination';

/** What a machine has noted of a move; undefined: nothing. */
export type Noted = { readonly role: MoveRole; readonly phase: MovePhase } | 'damaged' | undefined;

/**
 * Whether a machine may run its guest, by its own note alone. Of the two ends of a move at most one may at any moment:
 * the source until it has noted that it hands over, the destination once it has noted that it was released, which it
 * does after the source has noted that. Pure.
 */
export function mayRun(noted: Noted): boolean {
  if (noted === undefined) return true;
  // Nobody knows what it said.
  if (noted === 'damaged') return false;
  return noted.role === 'source' ? noted.phase !== 'handed-over' : noted.phase === 'released';
}

/**
 * Whether the processors of a QEMU that is up may be let run now. While a source has its last part sent it stands still,
 * though its guest is still its own: what it did would be lost at the destination. Pure.
 */
export function mayLetRun(noted: Noted): boolean {
  return mayRun(noted) && !(noted !== undefined && noted !== 'damaged' && noted.phase === 'switching');
}

/**
 * What becomes of a destination whose move was interrupted.
 *
 * `give-up`: its guest has never run and never will, so that all of it can go. `release`: the guest is its own. `wait`:
 * only the source knows.
 *
 * @param source what the note of the source says; `unknown`: it is on another host, or cannot be read.
 */
export function destinationStep(
  phase: MovePhase,
  source: 'handed-over' | 'not-handed-over' | 'unknown',
): 'give-up' | 'release' | 'wait' {
  if (phase === 'released') return 'release';
  // The source hands over only to a destination that has noted `switching`.
  if (phase !== 'switching' || source === 'not-handed-over') return 'give-up';
  return source === 'handed-over' ? 'release' : 'wait';
}

/** What becomes of a source whose move was interrupted: it keeps its guest, or has handed it over. */
export function sourceStep(phase: MovePhase): 'keep' | 'leave' {
  return phase === 'handed-over' ? 'leave' : 'keep';
}
