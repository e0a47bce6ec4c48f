/** What is done with machines: its words, and what is asked before. */
const ACTIONS = {
  start: { label: 'Start', icon: 'start', doing: 'Starting', done: 'Started' },
  stop: {
    label: 'Stop',
    icon: 'stop',
    doing: 'Stopping',
    question: (name) => ({
      title: `Stop ${name}?`,
      text: 'The guest is asked to shut down. If it does not, the machine is ended step by step.',
      yes: 'Stop',
      isDanger: true,
    }),
  },
  'force-stop': {
    label: 'Stop at once',
    icon: 'stop',
    doing: 'Ending',
    question: (name) => ({
      title: `Stop ${name} at once?`,
      text: 'Like pulling the plug: the guest loses what it has not written yet.',
      yes: 'Stop at once',
      isDanger: true,
    }),
  },
  pause: { label: 'Pause', icon: 'pause', doing: 'Pausing' },
  resume: { label: 'Resume', icon: 'start', doing: 'Resuming' },
  reset: {
    label: 'Reset',
    icon: 'reset',
    doing: 'Resetting',
    question: (name) => ({
      title: `Reset ${name}?`,
      text: 'Like the reset button: the guest loses what it has not written yet.',
      yes: 'Reset',
      isDanger: true,
    }),
  },
  'snapshot-create': { label: 'New snapshot', doing: 'Making a snapshot' },
  'snapshot-revert': {
    label: 'Revert',
    doing: 'Reverting',
    question: (name, { name: snapshot }) => ({
      title: `Revert ${name} to ${snapshot}?`,
      text: 'What its disks contain now is lost. A running machine is ended and started again.',
      yes: 'Revert',
      isDanger: true,
    }),
  },
  'snapshot-delete': {
    label: 'Delete',
    doing: 'Deleting a snapshot',
    question: (_, { name: snapshot }) => ({
      title: `Delete snapshot ${snapshot}?`,
      text: 'The machine stays as it is; it cannot be reverted to this snapshot any more.',
      yes: 'Delete',
      isDanger: true,
    }),
  },
  'backup-create': { label: 'Back up now', doing: 'Backing up' },
};

/** The words of an action; one of a newer server has only its own. */
export function wordsOf(action) {
  return ACTIONS[action] ?? { label: action, doing: action };
}

const REASONS = {
  dead: 'QEMU ended without a stop: it crashed, was killed, or the host lost power. Its last messages are in the log.',
  unresponsive: 'QEMU runs but does not answer. If it stays so, end it with "Stop at once".',
  'io-error': 'The guest is paused because a disk cannot be read or written, such as for lack of space on the host.',
  'internal-error': 'The guest is paused because of an error in QEMU or KVM, which the log describes.',
  'guest-panicked': "The guest's kernel has crashed. Its last messages are in the console.",
};

/** What is wrong with a machine in that state, and what helps; undefined: nothing is. */
export function reasonOf(state) {
  return REASONS[state];
}

/** What can be done in a state. */
export function actionsFor(state) {
  if (state === 'stopped' || state === 'dead' || state === 'saved') return ['start'];
  if (state === 'paused' || state === 'prelaunch' || state === 'io-error') return ['resume', 'stop'];
  if (state === 'unresponsive') return ['stop', 'force-stop'];
  return ['pause', 'reset', 'stop'];
}
