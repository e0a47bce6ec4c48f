import { QemuError } from '../../base/errors.ts';
import { splitWords } from '../../config/text/shell-words.ts';
import type { MachineRef } from '../../machine/context.ts';
import { withControl } from '../../machine/control/control-port.ts';
import { parseQmpRequest } from '../input/qmp-arguments.ts';
import { printJson } from '../output/print-json.ts';
import type { Context } from '../run/context.ts';
import { type CommandHelp, complete, describeCommand, readSchema } from './completion.ts';
import { runLineShell } from './line-shell.ts';
import { isQmpQuery, refused } from './read-only.ts';

const ANSWER_MS = 60_000;

/**
 * A shell for QMP: takes `query-status`, `device_add driver=… id=…` or a JSON object per line, and prints answers as
 * JSON. On a terminal it has history, and completion of commands and arguments from QEMU's own schema. `help
 * [COMMAND]`, `exit`.
 *
 * Each command has its own connection, so a shell that is left open does not block other clients.
 */
export async function runQmpShell(context: Context, target: MachineRef, readOnly: boolean): Promise<number> {
  const { output } = context;
  const { host } = context.fleet();
  const execute = (command: string, args: QmpArguments, signal: AbortSignal): Promise<unknown> =>
    withControl(host, target, { timeoutMs: ANSWER_MS, signal }, (client) =>
      client.executeRaw(command, args, { timeoutMs: ANSWER_MS, signal }),
    );
  const commands = readSchema(await execute('query-qmp-schema', undefined, context.signal));
  return runLineShell(context, {
    prompt: `${target.longName}> `,
    greeting: `QMP of ${target.longName}. Tab completes; "help", "exit".`,
    complete: (line) => complete(line, commands),
    answer: async (text, signal) => {
      const [first = '', ...words] = text.startsWith('{') ? [text] : splitWords(text);
      if (first === 'help') {
        for (const help of chosen(commands, words)) output.line(describeCommand(help));
        return 0;
      }
      const { command, args } = parseQmpRequest(first, words);
      if (readOnly && !isQmpQuery(command)) throw refused(command);
      output.raw(`${printJson(await execute(command, args, signal))}\n`);
      return 0;
    },
  });
}

type QmpArguments = Readonly<Record<string, unknown>> | undefined;

function chosen(commands: ReadonlyMap<string, CommandHelp>, names: readonly string[]): CommandHelp[] {
  if (names.length === 0) return [...commands.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return names.map((name) => {
    const found = commands.get(name);
    if (found) return found;
    throw new QemuError('QEMU_USAGE', `Unknown command "${name}"`);
  });
}
