import type { Command } from '../help/command.ts';

/** Groups of actions, in the order of the help text. */
export const GROUPS = ['Life', 'Look', 'Disks', 'Guest', 'Configure', 'Host'] as const;

/** One action of qemu-init, or a noun with verbs. */
export interface Action extends Command {
  readonly group: (typeof GROUPS)[number];
}
