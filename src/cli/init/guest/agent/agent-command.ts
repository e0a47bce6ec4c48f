import type { MachineRef } from '../../../../machine/context.ts';
import type { MachineAgent } from '../../../../machine/library/machine-agent.ts';
import type { Context } from '../../../run/context.ts';

/** What follows the command on the command line. */
export interface AgentArguments {
  /** Words after the command, and those after `--`. */
  readonly words: readonly string[];
  /** Read standard input: of `exec`. */
  readonly stdin?: boolean | undefined;
  /** Seconds that a program may take: of `exec`. */
  readonly timeout?: number | undefined;
  /** The password is a hash: of `passwd`. */
  readonly crypted?: boolean | undefined;
}

/** One call of a command. */
export interface AgentCall extends AgentArguments {
  readonly context: Context;
  readonly target: MachineRef;
  readonly agent: MachineAgent;
}

/** What came of it. */
export interface AgentAnswer {
  /** Members of the JSON object. */
  readonly json: object;
  /** What is printed otherwise; undefined: nothing more than the command has printed itself. */
  readonly text?: string | undefined;
  /** Exit status (default: 0). */
  readonly code?: number | undefined;
}
