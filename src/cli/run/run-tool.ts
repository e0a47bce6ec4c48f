import { setMaxListeners } from 'node:events';
import { QemuError } from '../../base/errors.ts';
import { ownProcess } from '../../system/process/inherited.ts';
import { Output } from '../output/output.ts';
import { describeError, errorDocument } from '../output/report.ts';
import { type Context, makeContext } from './context.ts';
import { exitCodeOf, INTERRUPTED } from './exit-code.ts';
import { type CommonArguments, outputOptions } from './options.ts';
import { leaveRemovedFolder, watchOutput } from './output-watch.ts';
import { abortOnSignals } from './signals.ts';

/** An action: takes the parsed arguments, returns the exit status. */
export type Run = (context: Context, args: never) => Promise<number>;

/** Runs an action with its arguments. */
export type Handle = (run: Run, args: object) => Promise<void>;

/**
 * Dispatches and reports: `parse` finds the action and its arguments in the command line and hands them over. Returns
 * the exit status; nothing in this package ends the process itself.
 */
export async function runTool(
  name: string,
  argv: readonly string[],
  parse: (handle: Handle) => Promise<void>,
): Promise<number> {
  ownProcess();
  let code = 0;
  const signals = abortOnSignals();
  const watch = watchOutput();
  const signal = AbortSignal.any([signals.signal, watch.signal]);
  setMaxListeners(0, signal);
  leaveRemovedFolder();
  let output = new Output(outputOptions(argv));
  const slow = whenSlow(signals.signal, () => output.note('info', `${name}: ${STILL_ENDING}`));
  let id: string | undefined;
  try {
    await parse(async (run, args) => {
      const common = args as CommonArguments;
      output = new Output(common);
      const { id: machine, name: added } = args as { readonly id?: string; readonly name?: string };
      id = machine ?? added;
      code = await run(makeContext(common, output, signal), args as never);
    });
    const lost = await watch.settle();
    if (lost !== undefined) throw new QemuError('QEMU_IO', 'Cannot write the result', { cause: lost });
    // Interrupted machines have the status of Ctrl-C, whichever signal it was.
    return code === INTERRUPTED ? (signals.exitCode() ?? code) : code;
  } catch (error) {
    if (output.json && !output.hasDocument) output.document([{ name: id, error: errorDocument(error) }]);
    output.note('error', `${name}: ${describeError(error, output.debug)}`);
    return signals.exitCode() ?? exitCodeOf(error);
  } finally {
    slow.dispose();
    signals.dispose();
  }
}

/** To undo what was begun takes less, unless QEMU or a disk hangs. */
const SLOW_MS = 3_000;
const STILL_ENDING = 'ending what was begun; a second Ctrl-C leaves that to the next command';

/** Calls back when the process still runs some time after a signal. */
function whenSlow(signal: AbortSignal, callback: () => void): { readonly dispose: () => void } {
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener(
    'abort',
    () => {
      timer = setTimeout(callback, SLOW_MS).unref();
    },
    { once: true },
  );
  return { dispose: () => clearTimeout(timer) };
}
