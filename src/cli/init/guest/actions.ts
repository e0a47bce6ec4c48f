import type { Action } from '../action.ts';
import { one } from '../parameters.ts';

/** Actions of the group "Guest", in the order of the help text. */
export const GUEST: readonly Action[] = [
  {
    command: 'console <id>',
    group: 'Guest',
    describe: 'Attach to the serial console; leave with Ctrl-]',
    options: one,
    load: () => import('./console.ts'),
  },
  {
    command: 'vnc <id>',
    group: 'Guest',
    describe: 'Show how to view the screen',
    options: one,
    load: () => import('./vnc.ts'),
  },
];
