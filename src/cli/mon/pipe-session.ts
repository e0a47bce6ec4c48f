import type { Target } from '../../machine/host.ts';
import { withControl } from '../../machine/monitor-access.ts';
import { findHmpError } from '../../qmp/hmp.ts';
import type { Context } from '../context.ts';
import { readLines } from '../stdin-lines.ts';
import { isHmpQuery, refused } from './read-only.ts';

const ANSWER_MS = 60_000;

/** One HMP command a line of stdin. A command that QEMU refuses does not keep the next from being tried. */
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
