import type { Duplex, Readable, Writable } from 'node:stream';
import { errorToJson } from '../base/error-json.ts';
import { QemuError } from '../base/errors.ts';
import { isValidName } from '../config/text/names.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import { withConsole } from '../machine/control/console.ts';
import { type HelperRequest, nextLine, readHelperRequest, sendLine } from './helper-line.ts';
import { actionOf, actOn } from './machine-actions.ts';

/** The line to the server of the page. */
export interface HelperLine {
  readonly input: Readable;
  readonly output: Writable & Pick<Duplex, 'write'>;
  readonly signal: AbortSignal;
}

/** A server that is there says at once what it wants. */
const REQUEST_MS = 10_000;
/** A server that lives reads what is left for it at once. */
const END_MS = 1000;

/**
 * Does the one thing that the page of this host asks for, of those that a page with control may do: its server has no rights, and
 * this is the only way to some. It reads names of machines and of what is to be done, and no paths. What it does is cancelled and
 * undone when the server ends the line.
 *
 * @param onAction called with what is done.
 */
export async function serveHelper(
  fleet: MachineManager,
  line: HelperLine,
  onAction: (text: string) => void,
): Promise<void> {
  const { input, output, signal } = line;
  const gone = new AbortController();
  const leave = (): void => gone.abort(new QemuError('QEMU_ABORTED', 'Cancelled'));
  const timer = setTimeout(() => input.destroy(), REQUEST_MS);
  input.on('error', leave);
  output.on('error', leave);
  try {
    const request = readHelperRequest(await nextLine(input));
    clearTimeout(timer);
    if (request === undefined) throw new QemuError('QEMU_USAGE', 'This is not a request');
    for (const end of ['end', 'close']) input.once(end, leave);
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    if (request.do === 'console') await console(fleet, request, line, gone.signal);
    else await act(fleet, request, line, gone.signal, onAction);
  } catch (error) {
    sendLine(output, { error: errorToJson(error) });
  } finally {
    clearTimeout(timer);
    await end(output);
    input.destroy();
  }
}

async function act(
  fleet: MachineManager,
  { machine, action, wish }: Extract<HelperRequest, { do: 'act' }>,
  { input, output }: HelperLine,
  signal: AbortSignal,
  onAction: (text: string) => void,
): Promise<void> {
  const target = targetOf(fleet, machine);
  const wanted = actionOf(action);
  // Nothing more is to come: what is read is the end.
  input.resume();
  onAction(`${target.longName}: ${wanted}`);
  const result = await actOn(
    fleet,
    target,
    wanted,
    {
      signal,
      onProgress: (progress) => sendLine(output, { progress }),
      onStep: (step) => sendLine(output, { step }),
    },
    wish,
  );
  sendLine(output, { result });
}

async function console(
  fleet: MachineManager,
  { machine }: HelperRequest,
  { input, output }: HelperLine,
  signal: AbortSignal,
): Promise<void> {
  const target = targetOf(fleet, machine);
  await withConsole(fleet.host, target, fleet.inspect(target).config, signal, async (stream) => {
    sendLine(output, { open: true });
    await new Promise<void>((resolve) => {
      for (const each of [stream, input, output]) each.once('close', resolve).once('error', () => resolve());
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
      input.once('end', resolve);
      stream.once('end', resolve);
      input.pipe(stream);
      stream.pipe(output, { end: false });
    });
  });
}

/** Has the rest be read, by a server that does. */
async function end(output: HelperLine['output']): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      output.destroy();
      resolve();
    }, END_MS);
  });
  await Promise.race([new Promise<void>((resolve) => output.end(resolve)), late]);
  clearTimeout(timer);
}

/** Only by its name: a path could lead to the file of anybody. */
function targetOf(fleet: MachineManager, machine: string): ReturnType<MachineManager['get']> {
  if (!isValidName(machine)) throw new QemuError('QEMU_USAGE', 'This is not the name of a machine');
  return fleet.get(machine);
}
