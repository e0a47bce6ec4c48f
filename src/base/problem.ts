import type { ErrorCode } from './errors.ts';

/** Something that is wrong, or may become so: in a file, with a machine, on the host. */
export interface Problem {
  /** `error`: it cannot be used, or a machine cannot start, stop or keep its data. `warning`: it does not stop anything. */
  readonly severity: 'error' | 'warning';
  /** What is wrong, the offending text in quotes, what is allowed. */
  readonly message: string;
  /** What was seen, and what comes of it, if the message alone does not show it. */
  readonly detail?: string | undefined;
  /** What to do, for instance the nearest known key. */
  readonly hint?: string | undefined;
  /** Absolute path of the file that it is in. */
  readonly file?: string | undefined;
  /** Line, from 1; undefined when the whole file is meant. */
  readonly line?: number | undefined;
  /** Key that it is about, when there is one. */
  readonly key?: string | undefined;
  /** Long name, when it is about one machine. */
  readonly machine?: string | undefined;
  /** For problems that are not mistakes in the file: `QEMU_NOT_INSTALLED`, `QEMU_NOT_PERMITTED` … */
  readonly code?: ErrorCode | undefined;
}

/** Whether any of them stops what was to be done. */
export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}
