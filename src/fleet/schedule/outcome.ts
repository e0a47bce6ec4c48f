import type { MachineRef } from '../../machine/context.ts';

/** What became of one machine of many. */
export type Outcome<T> =
  | { readonly target: MachineRef; readonly ok: true; readonly value: T }
  | {
      readonly target: MachineRef;
      readonly ok: false;
      readonly error: unknown;
      /** How long it was tried; 0 for what was not. */
      readonly seconds: number;
    };
