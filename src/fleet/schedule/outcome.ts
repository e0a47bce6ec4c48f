import type { MachineRef } from '../../machine/context.ts';

/** The outcome for one machine of many. */
export type Outcome<T> =
  | { readonly target: MachineRef; readonly ok: true; readonly value: T }
  | {
      readonly target: MachineRef;
      readonly ok: false;
      readonly error: unknown;
      /** How long it took to fail; 0 if it was not tried. */
      readonly seconds: number;
    };
