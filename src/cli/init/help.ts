import { helpOnCommand, nameOf, type Verb } from '../help/command.ts';
import { commonOptions, type Entry, list, sections } from '../help/layout.ts';
import { type Action, GROUPS } from './action.ts';
import { ACTIONS } from './actions.ts';

/** The help for all of qemu-init, in lines of at most `width` characters. Pure. */
export function helpOnAll(width: number): string {
  const groups = GROUPS.map((group) => {
    const actions = ACTIONS.filter((action) => action.group === group);
    return list(
      group,
      actions.map((action) => [nameOf(action), action.describe]),
      width,
    );
  });
  return sections([
    'qemu-init ACTION [ID...] [options]',
    'Starts, stops and manages QEMU machines.',
    ...groups,
    ...commonOptions(width),
    'One action: qemu-init help ACTION. Manual: qemu-init(8), qemu.cfg(5)',
  ]);
}

/** What a call without any word gets: the names of all actions, and what to type first. Pure. */
export function helpInShort(width: number): string {
  const groups = GROUPS.map((group): Entry => {
    const actions = ACTIONS.filter((action) => action.group === group);
    return [group, actions.map(nameOf).join(', ')];
  });
  return sections([
    'qemu-init ACTION [ID...] [options]',
    list('Actions', groups, width),
    list(
      'Such as',
      [
        ['qemu-init create NAME', 'A new machine'],
        ['qemu-init status', 'All machines'],
        ['qemu-init help', 'What the actions do'],
        ['qemu-init help ACTION', 'One action'],
      ],
      width,
    ),
  ]);
}

/** The help for one action or one of its verbs. Pure. */
export function helpOnAction(action: Action, verb: Verb | undefined, width: number): string {
  return helpOnCommand('qemu-init', action, verb, width);
}
