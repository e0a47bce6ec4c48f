import type { MachineRef } from '../../machine/context.ts';
import { withHumanMonitor } from '../../machine/control/control-port.ts';
import { findHmpError } from '../../qmp/hmp.ts';
import type { Context } from '../run/context.ts';
import { runLineShell } from './line-shell.ts';
import { isHmpQuery, refused } from './read-only.ts';

const ANSWER_MS = 60_000;

/** What to look at, for completion; `info` itself has the rest of the line to itself. */
const LOOKS = ['help', 'info', 'print'];

/**
 * A shell for commands of the human monitor. With `readOnly` it refuses those that change the machine: QEMU's own
 * monitor cannot do that, so each line is checked and sent over the control port. It also serves while the monitor port
 * is not available.
 */
export async function runHmpShell(context: Context, target: MachineRef, readOnly: boolean): Promise<number> {
  const { output } = context;
  const { host } = context.fleet();
  const ask = (line: string, signal: AbortSignal): Promise<string> =>
    withHumanMonitor(host, target, { timeoutMs: ANSWER_MS, signal }, (client) =>
      client.hmp(line, { timeoutMs: ANSWER_MS, signal }),
    );
  const topics = topicsIn(await ask('help info', context.signal));
  const commands = readOnly ? LOOKS : commandsIn(await ask('help', context.signal));
  return runLineShell(context, {
    prompt: `${target.longName} ${readOnly ? '(read-only)' : '(qemu)'} `,
    greeting: `Monitor of ${target.longName}${readOnly ? ', read-only' : ''}. Tab completes; "help info", "exit".`,
    complete: (line) => completeCommand(line, commands, topics),
    answer: async (line, signal) => {
      if (readOnly && !isHmpQuery(line)) throw refused(line);
      const text = await ask(line, signal);
      output.raw(text === '' || text.endsWith('\n') ? text : `${text}\n`);
      return findHmpError(text, line) === undefined ? 0 : 1;
    },
  });
}

/** The words after `info`, from lines such as `info block [-n] [-v] [device] -- show …`. */
function topicsIn(help: string): string[] {
  return [...help.matchAll(/^info ([\w-]+)/gm)].map(([, topic = '']) => topic);
}

/** The first words of lines such as `device_add driver[,prop=value][,...] -- add device …` and `quit|q  -- quit …`. */
function commandsIn(help: string): string[] {
  return [...help.matchAll(/^([a-z][\w-]*)/gm)].map(([, command = '']) => command);
}

function completeCommand(line: string, commands: readonly string[], topics: readonly string[]): [string[], string] {
  const words = line.trimStart().split(/\s+/);
  const last = words.at(-1) ?? '';
  const candidates = words.length <= 1 ? commands : words.length === 2 && words[0] === 'info' ? topics : [];
  return [candidates.filter((candidate) => candidate.startsWith(last)), last];
}
