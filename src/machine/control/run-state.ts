import type { QueryStatusResultStatus } from '../../qmp/generated/qemu-7.2.ts';

/** The literals of a union that is open to other strings. */
type Literals<T> = T extends unknown ? (string extends T ? never : T) : never;

/** QEMU's own states (RunState of its QMP; the same sixteen in 7.2 and 10). */
export type RunState = Literals<QueryStatusResultStatus>;

/** How commands treat a machine in a certain state. */
export interface StateRule {
  /**
   * How its guest is made to take note of the power button. `press`: it listens. `cont`, `wake`: after that command.
   * `later`: QEMU is busy with the guest and lets it run again by itself. `never`: there is no guest that could. `off`:
   * the guest has switched the machine off, and only QEMU is left.
   */
  readonly button: 'press' | 'cont' | 'wake' | 'later' | 'never' | 'off';
  /** Whether `resume` sends `cont`, or what is in the way of that. */
  readonly resume: 'cont' | { readonly refused: string };
  /** Whether the processors stand still until a command changes that: all that `pause` can ask for. */
  readonly isStill: boolean;
  /** What `status`, `doctor` and messages add; undefined where the word is enough. */
  readonly meaning: string | undefined;
  /** Action that gets the guest to run again, or the one that is left. */
  readonly way: 'resume' | 'wake' | 'reset' | 'exit-preconfig' | undefined;
  /** `error`: the guest does not do its work, though no command asked for that. */
  readonly severity: 'info' | 'error';
}

const good = { severity: 'info', way: undefined, meaning: undefined } as const;

/** Every state of QEMU, with its treatment by stop, pause, resume, status, wait and doctor. */
export const RUN_STATES: Readonly<Record<RunState, StateRule>> = {
  running: { ...good, button: 'press', resume: 'cont', isStill: false },
  paused: { ...good, button: 'cont', resume: 'cont', isStill: true, way: 'resume' },
  prelaunch: {
    button: 'never',
    resume: 'cont',
    isStill: true,
    meaning: 'the guest has not run since the start or the last reset',
    way: 'resume',
    severity: 'info',
  },
  suspended: {
    button: 'wake',
    resume: 'cont',
    // A clock or a key may wake it.
    isStill: false,
    meaning: 'the guest sleeps',
    way: 'wake',
    severity: 'info',
  },
  'io-error': {
    button: 'cont',
    resume: 'cont',
    isStill: true,
    meaning: 'the host could not read or write a disk, and QEMU has stopped the guest until it is resumed',
    way: 'resume',
    severity: 'error',
  },
  watchdog: {
    button: 'cont',
    resume: 'cont',
    isStill: true,
    meaning: "the guest's watchdog expired, and QEMU has stopped the guest until it is resumed",
    way: 'resume',
    severity: 'error',
  },
  debug: {
    button: 'cont',
    resume: 'cont',
    isStill: true,
    meaning: 'a debugger holds the guest',
    way: 'resume',
    severity: 'info',
  },
  shutdown: {
    button: 'off',
    resume: { refused: 'it has to be reset first' },
    isStill: true,
    meaning: 'the guest has switched the machine off, and QEMU stays because of -no-shutdown',
    way: 'reset',
    severity: 'info',
  },
  'guest-panicked': {
    button: 'never',
    resume: 'cont',
    isStill: true,
    meaning: 'the guest panicked',
    way: 'reset',
    severity: 'error',
  },
  'internal-error': {
    button: 'never',
    resume: { refused: 'it has to be reset first' },
    isStill: true,
    meaning: 'QEMU or KVM cannot continue the guest',
    way: 'reset',
    severity: 'error',
  },
  inmigrate: {
    button: 'never',
    resume: { refused: 'it starts when its guest has arrived' },
    isStill: false,
    meaning: 'it waits for a guest from another QEMU',
    way: undefined,
    severity: 'info',
  },
  postmigrate: {
    button: 'never',
    // Its disks are in use at the other end, unless that has failed.
    resume: { refused: 'its guest has moved to another QEMU, and must not run twice' },
    isStill: true,
    meaning: 'its guest has moved to another QEMU',
    way: undefined,
    severity: 'info',
  },
  'finish-migrate': {
    button: 'later',
    resume: { refused: 'its guest is moving to another QEMU' },
    isStill: false,
    meaning: 'its guest is moving to another QEMU',
    way: undefined,
    severity: 'info',
  },
  'save-vm': {
    button: 'later',
    resume: { refused: 'its state is being saved' },
    isStill: false,
    meaning: 'its state is being saved',
    way: undefined,
    severity: 'info',
  },
  'restore-vm': {
    button: 'later',
    resume: { refused: 'a saved state is being loaded' },
    isStill: false,
    meaning: 'a saved state is being loaded',
    way: undefined,
    severity: 'info',
  },
  colo: {
    button: 'later',
    resume: { refused: 'its twin is being brought up to date' },
    isStill: false,
    meaning: 'its twin is being brought up to date',
    way: undefined,
    severity: 'info',
  },
};

/** What we call `prelaunch` with `--preconfig`: there is no machine yet. */
const PRECONFIG: StateRule = {
  button: 'never',
  resume: { refused: 'the machine has not been made' },
  isStill: true,
  meaning: 'the machine has not been made',
  way: 'exit-preconfig',
  severity: 'info',
};

/** A state that a later QEMU has: the guest is asked, and what comes of it is reported. */
const UNKNOWN: StateRule = { ...good, button: 'press', resume: 'cont', isStill: false };

/** The treatment of a state as `status` has it. */
export function stateRule(state: string): StateRule {
  if (isRunState(state)) return RUN_STATES[state];
  return state === 'preconfig' ? PRECONFIG : UNKNOWN;
}

function isRunState(state: string): state is RunState {
  return Object.hasOwn(RUN_STATES, state);
}

/** A state as a message names it: `suspended (the guest sleeps)`. */
export function describeState(state: string, detail?: string): string {
  const { meaning } = stateRule(state);
  const parts = [meaning, detail].filter((part) => part !== undefined);
  return parts.length === 0 ? state : `${state} (${parts.join('; ')})`;
}
