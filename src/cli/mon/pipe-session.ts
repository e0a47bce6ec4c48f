import { QemuError } from '../../errors.ts';
import type { Target } from '../../machine/host.ts';
import { withControl } from '../../machine/monitor-access.ts';
import { findHmpError } from '../../qmp/hmp.ts';
import type { Context } from '../context.ts';
import { readLines } from '../stdin-lines.ts';

const ANSWER_MS = 60_000;

/** One HMP command a line of stdin. A command that is refused does not keep the next from being tried. */
export async function runPipe(context: Context, target: Target, readOnly: boolean): Promise<number> {
  const { output, signal } = context;
  const { host } = context.fleet();
  let code = 0;
  for await (const command of readLines(signal)) {
    if (readOnly && !isHmpQuery(command)) throw refused(command);
    const text = await withControl(host, target, { timeoutMs: ANSWER_MS, signal }, (client) =>
      client.hmp(command, { timeoutMs: ANSWER_MS, signal }),
    );
    output.raw(text === '' || text.endsWith('\n') ? text : `${text}\n`);
    if (findHmpError(text) !== undefined) code = 1;
    if (command === 'quit' || command === 'q') break;
  }
  return code;
}

/** HMP commands that only look: `info …`, `help` and the printing of memory and registers. */
export function isHmpQuery(command: string): boolean {
  return /^(info|help|\?|print|p|x|xp)(\/|\s|$)/.test(command);
}

/** The error of a command that --read-only does not let pass. */
export function refused(command: string): QemuError {
  return new QemuError('QEMU_NOT_PERMITTED', `"${command}" is more than a look, and --read-only was given`);
}
