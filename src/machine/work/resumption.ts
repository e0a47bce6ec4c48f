import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import type { Work } from './do-work.ts';

/** What is needed to go on with work in the place of a command that was killed. */
export interface Resumption {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
  readonly work: Work;
  readonly options: LongWorkOptions;
}
