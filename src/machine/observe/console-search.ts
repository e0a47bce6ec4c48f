import { QemuError } from '../../base/errors.ts';
import { sizeOf } from '../../system/files/log/log-file.ts';
import { type LogMark, markLog, readSince } from '../../system/files/log/log-mark.ts';
import { RegexWorker } from '../../system/process/regex-worker.ts';
import type { MachineRef } from '../context.ts';
import { locate } from '../run/locate.ts';
import { consoleTexts } from './console-texts.ts';

/** The console is searched from its end this far back. */
const CONSOLE_BYTES = 8 * 1024 * 1024;

/** The search for what a guest has printed since the run began that goes on. To be closed. */
export class ConsoleSearch {
  readonly #target: MachineRef;
  readonly #worker: RegexWorker;
  /** For a run whose start in the log is lost: only what comes from now on certainly belongs to it. */
  readonly #now: LogMark;
  #searched: string | undefined;
  #tookMs = 0;

  constructor(target: MachineRef, pattern: RegExp) {
    this.#target = target;
    this.#worker = new RegexWorker(pattern);
    this.#now = markLog(target.files.consoleLog);
  }

  /** What the last search took, in milliseconds. */
  get tookMs(): number {
    return this.#tookMs;
  }

  /** Whether it is found by now. @throws {QemuError} `QEMU_ABORTED`, and as {@link readSince}. */
  async isFound(signal: AbortSignal): Promise<boolean> {
    const { files } = this.#target;
    // Each time: meanwhile the machine may have been stopped and started.
    const mark = locate(files).record?.consoleLog ?? this.#now;
    const searched = `${mark.offset} ${sizeOf(files.consoleLog)}`;
    if (searched === this.#searched) return false;
    this.#searched = searched;
    const bytes = readSince(files.consoleLog, mark, CONSOLE_BYTES);
    const began = performance.now();
    const isFound = await this.#test(bytes.toString('utf8').replaceAll('\r\n', '\n'), signal);
    this.#tookMs = performance.now() - began;
    return isFound;
  }

  async #test(text: string, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#worker.test(consoleTexts(text), signal);
    } catch (error) {
      if (error instanceof QemuError) throw error;
      // V8 gives up when it runs out of stack, or the thread out of memory.
      throw new QemuError('QEMU_USAGE', 'The expression needs too much memory on the output of the guest', {
        cause: error,
        hint: 'use a simpler one, such as a few words',
      });
    }
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}
