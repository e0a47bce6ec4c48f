import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { abortError } from '../../base/abort.ts';

/** A text, and the index from which on a match may begin; what is before it is there for `^` and the like. */
export interface SearchedText {
  readonly text: string;
  readonly from: number;
}

const SCRIPT = `
const { parentPort, workerData } = require('node:worker_threads');
const pattern = new RegExp(workerData.source, workerData.flags);
parentPort.on('message', (texts) => {
  parentPort.postMessage(texts.some(({ text, from }) => {
    pattern.lastIndex = from;
    return pattern.test(text);
  }));
});
`;

/**
 * A regular expression that searches in a thread: a search that takes minutes, or forever, can be given up, and the
 * process handles signals meanwhile. Starting the thread takes some 30 ms. To be closed.
 */
export class RegexWorker implements AsyncDisposable {
  readonly #pattern: RegExp;
  #worker: Worker | undefined;

  constructor(pattern: RegExp) {
    this.#pattern = pattern;
  }

  /**
   * Whether one of the texts has a match. One search at a time.
   *
   * @throws {QemuError} `QEMU_ABORTED` at the signal; the search is given up.
   */
  async test(texts: readonly SearchedText[], signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) throw abortError(signal);
    this.#worker ??= start(this.#pattern);
    try {
      const answer = once(this.#worker, 'message', { signal });
      this.#worker.postMessage(texts);
      const [isFound]: unknown[] = await answer;
      return isFound === true;
    } catch (error) {
      await this.close();
      throw signal.aborted ? abortError(signal) : error;
    }
  }

  /** Ends the thread, also in the middle of a search. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function start({ source, flags }: RegExp): Worker {
  // With `g` a search begins at lastIndex.
  const worker = new Worker(SCRIPT, { eval: true, workerData: { source, flags: `${flags.replace(/[gy]/g, '')}g` } });
  // Nothing but a search that is waited for keeps the process alive.
  worker.unref();
  return worker;
}
