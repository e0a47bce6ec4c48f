import { describeEnd, isBadEnd, notedEnd, type ProcessExit } from '../../machine/end.ts';
import { tidyUp } from '../../machine/ended.ts';
import type { Context } from '../context.ts';
import { type SelectionArguments, select } from '../selection.ts';

/** What a unit calls when its QEMU is gone, however it went. */
export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const { output, signal } = context;
  const { host } = context.fleet();
  const { targets } = select(context, args, () => []);
  for (const target of targets) {
    const exit = exitOf(process.env);
    const tidied = await tidyUp(host, target, exit, signal);
    // Who stopped it has cleaned up; a start that failed had no run, and the note is of an earlier one.
    const end = tidied ?? (exit && notedEnd(host.paths, target.longName));
    if (end) output.note(isBadEnd(end) ? 'error' : 'info', `${target.longName}: ${describeEnd(end)}`);
  }
  return 0;
}

/** How the unit's main process ended: systemd.exec(5). */
function exitOf(env: NodeJS.ProcessEnv): ProcessExit | undefined {
  const { EXIT_CODE: kind, EXIT_STATUS: status } = env;
  if (status === undefined) return undefined;
  return kind === 'exited' || kind === 'killed' || kind === 'dumped' ? { kind, status } : undefined;
}
