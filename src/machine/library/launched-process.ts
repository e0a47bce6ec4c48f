import { endsWithin } from '../../base/abort.ts';
import type { DetachedProcess, ProcessEnd } from '../../system/process/launch-process.ts';
import type { ProcessInfo } from '../../system/process/process.ts';

const LEARN_MS = 2_000;

/** The QEMU that a program has launched, of which only its parent learns how it ended. */
export class LaunchedProcess {
  readonly #process: DetachedProcess;
  readonly #learned: Promise<void>;
  #end: ProcessEnd | undefined;
  /** Where its own output begins in the log. */
  readonly logOffset: number;

  constructor(process: DetachedProcess, logOffset: number) {
    this.#process = process;
    this.logOffset = logOffset;
    this.#learned = process.exited.then((end) => {
      this.#end = end;
    });
  }

  /** How it ended; undefined as long as that is not known. */
  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  /** Whether that process is this one. */
  is({ pid, startTime }: ProcessInfo): boolean {
    return pid === this.#process.pid && startTime === this.#process.startTime;
  }

  /** Waits until its end is known. A process is gone a moment before its parent learns of that. */
  async learnEnd(): Promise<void> {
    await endsWithin(this.#learned, { timeoutMs: LEARN_MS });
  }
}
