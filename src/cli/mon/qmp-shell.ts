import { createInterface } from 'node:readline';
import { splitWords } from '../../config/shell-words.ts';
import { QemuError } from '../../errors.ts';
import type { Target } from '../../machine/host.ts';
import { openControl } from '../../machine/monitor-access.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { Context } from '../context.ts';
import { printJson } from '../print-json.ts';
import { parseQmpRequest } from '../qmp-arguments.ts';
import { describeError } from '../report.ts';
import { type CommandHelp, complete, describeCommand, readSchema } from './completion.ts';
import { refused } from './pipe-session.ts';

const CONNECT_MS = 10_000;
const ANSWER_MS = 60_000;

/** QMP commands that only look. */
const QUERY = /^(query-|qom-list|qom-get$|device-list-properties$)/;

/**
 * A shell for QMP: `query-status`, `device_add driver=… id=…` or a JSON object on a line, the answer as JSON. On a
 * terminal with history and with completion of commands and arguments from QEMU's own schema. `help [COMMAND]`, `exit`.
 */
export async function runQmpShell(context: Context, target: Target, readOnly: boolean): Promise<number> {
  const { output, signal } = context;
  const client = await openControl(context.fleet().host, target, { timeoutMs: CONNECT_MS, signal });
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  let code = 0;
  try {
    const commands = readSchema(
      await client.executeRaw('query-qmp-schema', undefined, { timeoutMs: ANSWER_MS, signal }),
    );
    const lines = createInterface({
      input: process.stdin,
      ...(isTerminal && { output: process.stdout, completer: (line: string) => complete(line, commands) }),
      prompt: `${target.longName}> `,
      signal,
    });
    // A machine that ends must not leave the shell waiting for a line.
    void client.closed.then(() => lines.close());
    if (isTerminal) {
      output.note('info', `QMP of ${target.longName}. Tab completes; "help", "exit".`);
      lines.prompt();
    }
    for await (const line of lines) {
      const text = line.trim();
      if (text === 'exit') break;
      if (text !== '' && !text.startsWith('#'))
        code = Math.max(code, await answer(context, client, text, commands, readOnly));
      if (client.state.kind !== 'running') break;
      if (isTerminal) lines.prompt();
    }
    lines.close();
  } finally {
    await client.close();
  }
  // What was refused at a terminal was seen there.
  return isTerminal ? 0 : code;
}

async function answer(
  context: Context,
  client: QmpClient,
  text: string,
  commands: ReadonlyMap<string, CommandHelp>,
  readOnly: boolean,
): Promise<number> {
  const { output, signal } = context;
  try {
    const [first = '', ...words] = text.startsWith('{') ? [text] : splitWords(text);
    if (first === 'help') {
      for (const help of chosen(commands, words)) output.line(describeCommand(help));
      return 0;
    }
    const { command, args } = parseQmpRequest(first, words);
    if (readOnly && !QUERY.test(command)) throw refused(command);
    output.raw(`${printJson(await client.executeRaw(command, args, { timeoutMs: ANSWER_MS, signal }))}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    output.note('error', describeError(error, output.debug));
    return 1;
  }
}

function chosen(commands: ReadonlyMap<string, CommandHelp>, names: readonly string[]): CommandHelp[] {
  if (names.length === 0) return [...commands.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return names.map((name) => {
    const found = commands.get(name);
    if (found) return found;
    throw new QemuError('QEMU_USAGE', `There is no command "${name}"`);
  });
}
