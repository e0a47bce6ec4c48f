import type { Action } from './action.ts';
import { CONFIGURE } from './configure/actions.ts';
import { DISKS } from './disks/actions.ts';
import { GUEST } from './guest/actions.ts';
import { HOST } from './host/actions.ts';
import { LIFE } from './life/actions.ts';
import { LOOK } from './look/actions.ts';

/** All actions, in the order of the help text. */
export const ACTIONS: readonly Action[] = [...LIFE, ...LOOK, ...DISKS, ...GUEST, ...CONFIGURE, ...HOST];
